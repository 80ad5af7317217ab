// Whether made images could be images of a domain: their kernel distance, against that of blurred ones.
#pragma once

#include "audit/audit_material.h"

namespace torsor {

/// Images are cut in two by groups: what is made of the one half is compared with the other half.
struct Closeness {
  Estimate kid;      // of the made images
  Estimate blurred;  // of the half's own images with a quarter of their resolution

  /// Whether the made images are nearer than this share of the blurred ones' distance. Not where blurring is
  /// not seen, since nothing can be said then.
  bool within(double share) const { return blurred.value > 0 && kid.value <= share * blurred.value; }
  /// {"kid", "blurred"}.
  Json json() const;
  static Closeness from(const Json& json);
};

/// `made` [N,C,H,W] in the networks' range of the images' domain: image i of it made of image i.
Closeness closeness(const AuditMaterial& material, const AuditImages& images, const at::Tensor& made,
                    Rng& rng);

/// Four times as coarse: means of squares of 4 x 4 pixels, and linear between them. [N,C,H,W] to the same.
at::Tensor blurred_images(const at::Tensor& images);

}  // namespace torsor
