#include "audit/audit_options.h"

#include "audit/symmetries.h"
#include "core/error.h"
#include "core/text.h"
#include "metric/groups.h"
#include "nn/network.h"

namespace torsor {

void AuditThresholds::describe(OptionSet& o) {
  o.group("Where the verdict draws its lines");
  o.add("solution_share", solution_share,
        "a solution's KID is at most this share of that of its untranslated inputs")
      .above(0);
  o.add("copy_share", copy_share,
        "a translation nearer than this to its input is a copy (distances: 0 = the same image, 1 = as far as "
        "an unrelated one)")
      .range(0, 1);
  o.add("cycle_share", cycle_share,
        "distance of a reconstruction, of rounded and noisy translations, up to which the cycle is closed")
      .range(0, 1);
  o.add("difference_margin", difference_margin,
        "distance beyond the reconstructions' own from which two runs differ")
      .range(0, 1);
  o.add("local_margin", local_margin, "the same in the patch that differs most").range(0, 1);
  o.add("automorphism", automorphism,
        "accuracy of a classifier of originals and transformed images below which the transformation keeps "
        "the data's distribution")
      .range(0.5, 1);
  o.add("matters", matters, "distance by which a symmetry has to move translations to matter").range(0, 1);
  o.add("null_margin", null_margin, "distance from the identity from which the null task has failed")
      .range(0, 1);
  o.add("null_local_margin", null_local_margin, "the same in the patch that differs most").range(0, 1);
  o.add("correction_margin", correction_margin,
        "share of the error on pairs that a correction, fitted on other pairs, may take away")
      .range(0, 1);
  o.add("local_error", local_error, "error in a pair's worst patch from which the pair is wrong there")
      .range(0, 1);
  o.add("wrong_pairs", wrong_pairs, "share of such pairs that a trusted run may have, as an upper limit")
      .range(0, 1);
  o.add("honesty_loss", honesty_loss,
        "distance by which rounding and noise may worsen a reconstruction before something is hidden")
      .range(0, 1);
  o.add("prevalence_moved", prevalence_moved,
        "part of the way from the inputs' to the target's prevalence of a class from which content was "
        "added or removed")
      .range(0, 1);
  o.add("label_shortfall", label_shortfall,
        "share of translations, beyond the classifier's own errors, that may change their class")
      .range(0, 1);
  o.add("label_power", label_power,
        "recall beyond chance that a classifier of labels needs to be listened to: 0 = it guesses, 1 = it is "
        "always right")
      .range(0, 1);
  o.add("rank_kept", rank_kept,
        "rank correlation between structures of the inputs and of the translations below which they are lost")
      .range(0, 1);
}

void AuditOptions::describe(OptionSet& o) {
  o.add("symmetries", symmetries,
        "transformations that are tried, names with commas between; auto = those that fit the images")
      .suggest(symmetry_names());
  o.add("symmetry_forward", symmetry_forward,
        "a program of yours that transforms images, called as PROGRAM IN OUT with two folders of 8-bit PNG "
        "files, for images of both domains");
  o.add("symmetry_back", symmetry_back, "the program that undoes it, called likewise");
  o.add("groups", groups,
        "pattern of names (regular expression): images with the same match, such as slices of a patient, "
        "count as one observation")
      .check([](const std::string& value, const std::string& where) { check_group_pattern(value, where); })
      .common();
  o.add("scale", scale, "quick = at most 128 images where translators are composed; full = all of them")
      .choices({"quick", "full"})
      .common();
  o.add("max_images", max_images, "images of each folder, the first that many; 0 = all").at_least(0);
  o.add("audit_seed", audit_seed, "of everything that the audit draws").at_least(0);
  o.add("resamples", resamples, "of a bootstrap").at_least(100);
  o.add("resize", resize, "look at images of this size: SIDE or WIDTHxHEIGHT [the training's]");
  features.describe(o);
  thresholds.describe(o);
  describe_trainings(o);
}

void AuditOptions::describe_trainings(OptionSet& o) {
  o.group("Parts that train networks");
  o.add("null_task", null_task,
        "train the run's own networks, with its own settings, between two halves of the images of A, where "
        "the right answer is to change nothing; takes about as long as null_steps of the run at null_size")
      .common();
  o.add("null_steps", null_steps, "steps of that training; 0 = a quarter of the run's, 500 to 4000")
      .at_least(0);
  o.add("null_size", null_size,
        "side of its images in pixels; 0 = 64 or the run's if that is smaller, as near as its networks allow")
      .at_least(0);
  o.add("search", search,
        "train a small network to change the images of A as much as it can while they stay images of A and "
        "can be changed back: an ambiguity of the data that nobody has thought of")
      .common();
  o.add("search_steps", search_steps, "steps of that training").at_least(1);
  o.add("search_net", search_net,
        "its network: " + join(generator_names()) +
            "; resnets find changes of colour and texture, an autoencoder_<n> of n x n images also exchanges "
            "of whole contents")
      .check([](const std::string& value, const std::string& where) {
        check_generator_name(value, where);
        if (value == kIdentityGenerator) fail_usage("{} {}: copies its input and cannot learn", where, value);
      });
}

void AuditOptions::validate() const {
  if (symmetry_forward.empty() && !symmetry_back.empty())
    fail_usage("--symmetry-back {}: undoes a transformation; give that with --symmetry-forward PROGRAM",
               printable(symmetry_back));
  if (thresholds.local_margin < thresholds.difference_margin)
    fail_usage("--local-margin {}: is below --difference-margin {}; a patch differs more than the whole",
               thresholds.local_margin, thresholds.difference_margin);
  if (thresholds.null_local_margin < thresholds.null_margin)
    fail_usage("--null-local-margin {}: is below --null-margin {}; a patch differs more than the whole",
               thresholds.null_local_margin, thresholds.null_margin);
}

MetricOptions AuditOptions::metric() const {
  MetricOptions out;
  out.groups = groups;
  out.metric_seed = audit_seed;
  out.resamples = resamples;
  return out;
}

}  // namespace torsor
