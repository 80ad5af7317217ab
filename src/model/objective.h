// CycleGAN's objective as one table of terms: what each is called and weighs, which passes through the
// generators it needs, and its value on any four maps, in the mean and by sample. Training, and whoever else
// wants to know what a pair of translators costs, reads this table.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "loss/gan_loss.h"
#include "model/cyclegan_options.h"

namespace torsor {

/// The images that an update looks at. Real ones are given; each other is made by one pass through a
/// generator, in this order, which is the reference's (reference.md, section 2).
enum class Picture {
  real_a,
  real_b,
  fake_b,  // G_A->B of real_a
  rec_a,   // G_B->A of fake_b
  fake_a,  // G_B->A of real_b
  rec_b,   // G_A->B of fake_a
  same_b,  // G_A->B of real_b, its target domain
  same_a   // G_B->A of real_a, its target domain
};

/// The networks, or what stands for them: a composition with an automorphism, a closed form.
struct CycleMaps {
  TensorMapping a_to_b, b_to_a;  // [N,C,H,W] to images of the other domain
  TensorMapping d_a, d_b;        // images to raw scores [N,...]
  // Images to [N,...]; only terms of features ask for them.
  TensorMapping features_a = nullptr, features_b = nullptr;
};

/// The images that are there.
class Pictures {
 public:
  Pictures(at::Tensor real_a, at::Tensor real_b);  // [N,Ca,H,W], [N,Cb,H,W]
  /// Throws std::logic_error for one that was not made.
  const at::Tensor& operator[](Picture which) const;
  /// Runs the pass that makes it; what it is made from must be there.
  void make(Picture which, const CycleMaps& maps);
  /// Lets go of the graph behind the made ones: of these the values stay, of others nothing.
  void release(const std::vector<Picture>& kept);

 private:
  at::Tensor& at(Picture which) { return images_[static_cast<std::size_t>(which)]; }

  std::array<at::Tensor, 8> images_;
};

/// The passes that lead to these images, each after what it needs.
std::vector<Picture> passes_to(const std::vector<Picture>& wanted);

enum class TermKind { adversarial, cycle, identity };

/// One loss of the generators.
struct LossTerm {
  using Value = std::function<at::Tensor(const Pictures&, const CycleMaps&)>;

  std::string name;  // in log.jsonl
  TermKind kind;
  double weight;               // 0 = off
  std::vector<Picture> needs;  // of the images that are made
  Value mean;                  // a scalar, without the weight: what is learnt
  Value per_sample;            // [N], without the weight; its mean is mean's but for rounding

  bool on() const { return weight > 0; }
};

/// All that the generators learn from, in the order in which the reference adds it up and in which it is
/// reported: g_a_to_b, g_b_to_a, cycle_a, cycle_b, idt_a, idt_b, whatever their weights; then those of the
/// terms that the reference does not have that are on: gan_cycle_* (S0-Q4), feature_cycle_*, feature_idt_*.
/// `gan` outlives the table. Sources: Zhu et al. 2017, eqs. 1 to 3 and section 5.2 (target mode); S0-Q1 to
/// Q4.
std::vector<LossTerm> generator_terms(const CycleGanOptions& options, const GanLoss& gan,
                                      const IdentityTerm& identity);

/// What one discriminator learns: to tell its domain's real images from those made.
struct DiscriminatorLoss {
  std::string name;
  Picture real, fake, rec;
  double of_fakes = 0;  // weight of telling translations, by way of the history
  double of_recs = 0;   // and reconstructions, where they are judged too

  bool on() const { return of_fakes > 0 || of_recs > 0; }
};

/// Of d_a and d_b, in that order. A weight is that of what the generators learn from this discriminator,
/// unless the options give it one of its own.
std::array<DiscriminatorLoss, 2> discriminator_losses(const CycleGanOptions& options);

/// The made images that those learn from.
std::vector<Picture> pictures_for(const std::array<DiscriminatorLoss, 2>& losses);

/// What goes forward and backward together.
struct TermGroup {
  std::vector<Picture> passes;     // in order
  std::vector<std::size_t> terms;  // places in the table, in its order
};

/// joint: all terms in one group; grouped: as few together as can be without running a pass twice.
enum class Grouping { joint, grouped };

/// The terms that are on, with the passes that they and the images `also` need. Terms that share a pass, or
/// passes one of which follows on the other, stay together; groups are in the order of their first passes.
/// Within a group passes that identity terms alone need come last, as in the reference.
std::vector<TermGroup> group_terms(const std::vector<LossTerm>& terms, Grouping grouping,
                                   const std::vector<Picture>& also);

}  // namespace torsor
