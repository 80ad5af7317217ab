// Every experiment run at smoke, judged, and judged again with planted results: each verdict can come out.
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "experiment/experiments.h"
#include "planted_points.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::HasSubstr;
using testing::plant_apart;
using testing::plant_arm;
using testing::plant_facts;
using testing::plant_image_gaps;
using testing::plant_starts;
using testing::plant_weights;
using testing::TestFolder;

using Plant = std::function<void(Json& results)>;

struct PlantedCase {
  std::string id;
  Verdict at_smoke;
  std::vector<std::pair<Verdict, Plant>> plants;
};

Json& arm(Json& results, const std::string& name) {
  for (Json& a : results["arms"])
    if (a["name"] == name) return a;
  throw std::logic_error(name);
}

// The rotations of an arm end where they started.
void keep_rotations(Json& a) {
  for (Json& run : a["runs"])
    if (run["rotation"].get<bool>()) run["end"] = run["start"];
}

// An arm of a world whose runs are all right, or all wrong, with this verdict of the audit with pairs.
void plant_cure(Json& results, const std::string& world, const std::string& arm, const std::string& planted,
                const std::string& verdict) {
  Json row = results["rows"][0];
  row.update({{"case", world + "-" + arm}, {"world", world}, {"arm", arm}, {"planted", planted}});
  row["with_pairs"] = verdict;
  row["subject_right"] = planted == "right";
  for (Json& run : row["runs"]) run["right"] = planted == "right";
  Json kept = Json::array();
  for (const Json& other : results["rows"])
    if (other["case"] != row["case"]) kept.push_back(other);
  kept.push_back(row);
  results["rows"] = kept;
  results["step_cost"][arm] = 1.0;
}

// Runs of the worlds with a cost of weight 1, whose shapes pass; without it they are wrong.
void plant_cheap_picks(Json& results, const std::string& kept, const std::string& turned,
                       const std::string& inverted) {
  plant_cure(results, "kept", "none", "wrong", "red");
  plant_cure(results, "kept", "cost-1", kept, "red");
  plant_cure(results, "turned", "cost-1", turned, "red");
  plant_cure(results, "inverted", "cost-1", inverted, "red");
  for (Json& row : results["rows"])
    for (Json& run : row["runs"]) run["pass_a_to_b"] = run["pass_b_to_a"] = 0.9;
}

// Shares of right translations, in every direction; of systems that are not named, a fifth.
void plant_systems(Json& r, const std::map<std::string, double>& shares) {
  for (Json& row : r["rows"])
    for (auto& [direction, of] : row["directions"].items()) {
      const auto named = shares.find(row["system"].get<std::string>());
      of["pass"] = named == shares.end() ? 0.2 : named->second;
    }
}

// Shares of right shapes of a CycleGAN in both directions, and of a flow there and back.
void plant_passes(Json& results, double cycle, double there, double back) {
  for (Json& row : results["rows"])
    for (Json& run : row["runs"]) {
      const bool is_flow = row["arm"] != "cyclegan";
      run["pass_a_to_b"] = is_flow ? there : cycle;
      run["pass_b_to_a"] = is_flow ? back : cycle;
    }
}

// Six (say) runs that count, all with these shares.
void plant_runs(Json& results, int count, double follows, double kept) {
  Json run = results["runs"][0];
  for (Json& d : run["directions"]) {
    d["cycle_l1"] = 0.02;
    d["output_entropy"] = 3.2;
    d["permutation_share"] = follows;
    d["identity_share"] = kept;
  }
  results["runs"] = Json::array();
  for (int k = 0; k < count; ++k) results["runs"].push_back(run);
}

// Seeds whose runs of the first and of the second arm keep these shares of the classes; the second's cycle
// error is `cycle`.
void plant_arms(Json& results, int seeds, double first, double second, double cycle = 0.02) {
  const Json one = results["runs"].front(), other = results["runs"].back();
  Json runs = Json::array();
  for (int seed = 0; seed < seeds; ++seed)
    for (Json run : {one, other}) {
      const bool is_first = run["arm"] == one["arm"];
      run["seed"] = seed;
      for (Json& d : run["directions"]) {
        d["cycle_l1"] = is_first ? 0.02 : cycle;
        d["output_entropy"] = 3.2;
        d["permutation_share"] = 0.9;
        d["identity_share"] = (is_first ? first : second) + 0.001 * seed * (is_first ? 1 : 2);
      }
      runs.push_back(run);
    }
  results["runs"] = runs;
}

// Every audit has this error.
void plant_errors(Json& results, const std::string& error) {
  for (Json& row : results["rows"]) row["error"] = error;
}

// Trained arms whose loss without an identity term is multiplied by `ratio` when flipped, and whose PSNR
// falls by `cost` dB.
void plant_contrasts(Json& results, int seeds, double ratio, double cost) {
  Json runs = Json::array();
  for (const Json& one : results["runs"])
    for (int seed = 0; seed < seeds; ++seed) {
      Json run = one;
      const double alpha = run["alpha"], loss = 1 + 0.01 * seed;
      run["seed"] = seed;
      run["plain"]["loss"] = loss;
      run["flipped"]["loss"] = ratio * loss + 0.1 * alpha;
      for (const char* key : {"psnr_a_to_b", "psnr_b_to_a"}) {
        run["plain"][key] = 30 + 0.1 * seed;
        run["flipped"][key] = 30 - cost;
      }
      runs.push_back(run);
    }
  results["runs"] = runs;
}

const std::vector<PlantedCase>& planted() {
  using enum Verdict;
  static const std::vector<PlantedCase> cases = {
      {"S0-C1",
       agrees,
       {{disagrees, [](Json& r) { r["kept"] = r["kept"].get<int>() - 1; }},
        {disagrees, [](Json& r) { r["isomorphisms"] = 0; }},
        {disagrees, [](Json& r) { r["changed"] = r["changed"].get<int>() - 1; }},
        {disagrees, [](Json& r) { r["other_permutations_kept"] = 1; }},
        {cannot_tell, [](Json& r) { r["zero_loss_pairs"] = 0; }},
        {cannot_tell, [](Json& r) { r["nontrivial"] = 0; }}}},
      {"S0-C2",
       agrees,
       {{disagrees, [](Json& r) { r["problems"][0]["related_once"] = 0; }},
        {disagrees, [](Json& r) { r["problems"][0]["by_formula"] = 0; }},
        {disagrees, [](Json& r) { r["problems"][0]["solutions"] = 7; }},
        {cannot_tell, [](Json& r) { r["problems"] = Json::array({r["problems"][0]}); }}}},
      {"S0-C2-gaussian",
       agrees,
       {{disagrees, [](Json& r) { arm(r, "unequal")["runs"][3]["off_group"] = 0.5; }},
        {disagrees,
         [](Json& r) {
           for (Json& run : arm(r, "equal")["runs"]) run["end"] = 10;
         }},
        {disagrees,
         [](Json& r) {
           for (Json& run : arm(r, "equal")["runs"]) run["rotation"] = true;
         }},
        {disagrees, [](Json& r) { keep_rotations(arm(r, "identity")); }},
        {cannot_tell, [](Json& r) { arm(r, "equal")["runs"][0]["loss"] = 1; }},
        {cannot_tell,
         [](Json& r) {
           for (Json& run : arm(r, "equal")["runs"]) run["moved"] = 0.1;
         }},
        {cannot_tell, [](Json& r) { arm(r, "equal")["runs"].get_ref<Json::array_t&>().resize(40); }}}},
      {"S0-C3",
       agrees,
       {{disagrees, [](Json& r) { r["rows"][2]["largest_gap"] = 0.1; }},
        {cannot_tell, [](Json& r) { r["rows"][2]["largest_gap"] = 5e-4; }},
        {cannot_tell, [](Json& r) { r["rows"][2]["median_gap_of_wrong_formula"] = 1e-5; }}}},
      {"S0-C4",
       disagrees,
       {{agrees,
         [](Json& r) {
           r["printed_violated"] = 0;
           for (Json& c : r["constructed"]) c["printed"] = c["moved_loss"];
         }},
        {cannot_tell, [](Json& r) { r["corrected_violated"] = 1; }},
        {cannot_tell, [](Json& r) { r["matching_violated"] = 1; }},
        {cannot_tell, [](Json& r) { r["constructed"][0]["corrected"] = 100; }},
        {cannot_tell, [](Json& r) { r["needed"][0]["random"] = r["needed"][0]["constructed"] = 0; }}}},
      {"S0-C5",
       agrees,
       {{disagrees, [](Json& r) { r["cases"][0]["moved"].back() = 1.1 * r["cases"][0]["bound"].get<double>(); }},
        {disagrees,
         [](Json& r) {
           for (Json& c : r["cases"])
             if (c["lipschitz"].get<double>() < 1 + 1e-9) c["loss"] = 0.5 * c["moved"].back().get<double>();
         }},
        {cannot_tell, [](Json& r) { r["cases"][0]["pure"].back() = 1; }}}},
      {"S0-C6",
       agrees,
       {{disagrees, [](Json& r) { r["commuting"] = r["commuting"].get<int>() - 1; }},
        {disagrees, [](Json& r) { r["automorphisms"] = 0; }},
        {disagrees, [](Json& r) { r["flow_jacobian"] = 0.1; }},
        {cannot_tell, [](Json& r) { r["transferred"] = 0; }},
        {cannot_tell, [](Json& r) { r["others_automorphisms"] = r["others"]; }}}},
      {"S0-C7",
       agrees,
       {{disagrees, [](Json& r) { r["distinct_with"] = 1; }},
        {disagrees, [](Json& r) { r["equal_with"] = 1; }},
        {disagrees, [](Json& r) { r["exchange"] = 0.1; }},
        {cannot_tell, [](Json& r) { r["equal"] = 0; }},
        {cannot_tell, [](Json& r) { r["square"] = 0; }}}},
      {"S0-C7-trained",
       agrees,
       {{disagrees, [](Json& r) { r["spaces"][2]["found"]["0->1 1->0 2->2 3->3"] = 2; }},
        {cannot_tell, [](Json& r) { r["spaces"][0]["converged"] = 3; }},
        {cannot_tell, [](Json& r) { r["spaces"][0]["found"] = Json::object(); }}}},
      {"S0-C8",
       agrees,
       {{disagrees, [](Json& r) { r["maps"][1]["recovered"] = 5; }},
        {disagrees, [](Json& r) { r["maps"][0]["score"] = 9; }},
        {cannot_tell, [](Json& r) { r["maps"][3]["recovered"] = r["maps"][3]["points"]; }}}},
      {"S0-C9",
       agrees,
       {{disagrees, [](Json& r) { r["rotated"]["rejected"] = r["rotated"]["tests"]; }},
        {disagrees,
         [](Json& r) {
           for (Json& d : r["displacement"]) d = 0.01;
         }},
        {cannot_tell, [](Json& r) { r["shifted"]["rejected"] = 0; }}}},
      {"S0-C10",
       agrees,
       {{disagrees, [](Json& r) { r["lines"][1]["balls"][0]["least"] = 1e-6; }},
        {cannot_tell, [](Json& r) { r["lines"][1]["balls"][0]["bound"] = -0.1; }},
        {cannot_tell, [](Json& r) { r["lines"][0]["far_distance"] = 1; }}}},
      {"S0-C11",
       agrees,
       {{disagrees, [](Json& r) { r["wrong_count"] = 1; }},
        {disagrees, [](Json& r) { r["related"] = 0; }},
        {cannot_tell, [](Json& r) { r["solvable"] = 0; }}}},
      {"S0-C11-trained",
       cannot_tell,
       {{agrees,
         [](Json& r) {
           plant_cure(r, "kept", "none", "wrong", "red");
           plant_cure(r, "kept", "identity", "right", "green");
           plant_cure(r, "turned", "identity", "wrong", "red");
         }},
        {disagrees, [](Json& r) { plant_cure(r, "kept", "none", "wrong", "green"); }},
        {disagrees, [](Json& r) { plant_cure(r, "kept", "none", "right", "green"); }}}},
      {"S0-E1",
       cannot_tell,
       {{agrees, [](Json& r) { plant_runs(r, 6, 0.9, 0.1); }},
        {disagrees, [](Json& r) { plant_runs(r, 6, 0.9, 0.9); }},
        {disagrees, [](Json& r) { plant_runs(r, 6, 0.3, 0.1); }},
        {cannot_tell, [](Json& r) { plant_runs(r, 2, 0.9, 0.1); }}}},
      {"S0-E2",
       cannot_tell,
       {{agrees, [](Json& r) { plant_contrasts(r, 3, 1.2, 8); }},
        {disagrees, [](Json& r) { plant_contrasts(r, 3, 2.5, 8); }},
        {disagrees, [](Json& r) { plant_contrasts(r, 3, 1.2, -3); }},
        {cannot_tell, [](Json& r) { plant_contrasts(r, 1, 1.2, 8); }},
        {cannot_tell,
         [](Json& r) {
           plant_contrasts(r, 3, 1.2, 8);
           r["copy"]["a_to_b"] = 40;  // nothing is trained
         }},
        {cannot_tell,
         [](Json& r) {
           plant_contrasts(r, 3, 1.2, 8);
           for (Json& run : r["runs"]) run["flipped"]["loss"] = 1.2;  // the gap does not grow
         }}}},
      {"S0-C13",
       cannot_tell,
       {{agrees, [](Json& r) { plant_arms(r, 5, 0.1, 0.9); }},
        {agrees, [](Json& r) { plant_arms(r, 5, 0.9, 0.1); }},
        {disagrees, [](Json& r) { plant_arms(r, 5, 0.2, 0.25); }},
        {cannot_tell, [](Json& r) { plant_arms(r, 2, 0.1, 0.9); }}}},
      {"S0-Q4",
       cannot_tell,
       {{agrees, [](Json& r) { plant_systems(r, {{"L1-cycle", 0.9}, {"both-forms", 0.95}}); }},
        {disagrees, [](Json& r) { plant_systems(r, {{"L1-cycle", 0.7}, {"both-forms", 0.85}}); }},
        {disagrees, [](Json& r) { plant_systems(r, {{"L1-cycle", 0.7}, {"adversarial-cycle", 0.85}}); }},
        {cannot_tell, [](Json& r) { plant_systems(r, {{"L1-cycle", 0.4}}); }}}},
      {"S1-C1",
       cannot_tell,
       {{agrees, [](Json& r) { plant_systems(r, {{"all-six", 0.9}}); }},
        {disagrees, [](Json& r) { plant_systems(r, {{"all-six", 0.9}, {"no-D-A-loss", 0.9}}); }},
        {cannot_tell, [](Json& r) { plant_systems(r, {{"all-six", 0.9}, {"no-G-loss", 0.85}}); }},
        {cannot_tell, [](Json& r) { plant_systems(r, {{"all-six", 0.4}}); }}}},
      {"S4-C1",
       cannot_tell,
       {{agrees, [](Json& r) { plant_arms(r, 6, 0.1, 0.1, 0.3); }},
        {disagrees, [](Json& r) { plant_arms(r, 6, 0.1, 0.1, 0.02); }},
        {cannot_tell, [](Json& r) { plant_arms(r, 2, 0.1, 0.1, 0.3); }}}},
      {"S2-C1",
       disagrees,
       {{agrees, [](Json& r) { r["pairs"] = 0; }},
        {cannot_tell, [](Json& r) { r["family"]["density_error"] = 1e-3; }},
        {cannot_tell, [](Json& r) { r["exchanges_onto"] = 0; }}}},
      {"S2-Q4",
       agrees,
       {{disagrees, [](Json& r) { r["planar"][0]["detour"] = 0.0; }},
        {disagrees, [](Json& r) { r["gaussians"][0]["dynamic"] = 2 * r["gaussians"][0]["static"].get<double>(); }},
        {cannot_tell, [](Json& r) { r["gaussians"][0]["end_error"] = 0.1; }}}},
      {"S2-E1",
       cannot_tell,
       {{agrees, [](Json& r) { plant_starts(r, {{"gap", 0.05}}); }},
        {disagrees, [](Json& r) { plant_starts(r, {{"gap", 0.2}}); }},
        {cannot_tell, [](Json& r) { plant_starts(r, {{"gap", 0.098}}); }}}},
      {"S2-E1-images",
       cannot_tell,
       {{agrees, [](Json& r) { plant_image_gaps(r, 0.05); }},
        {disagrees, [](Json& r) { plant_image_gaps(r, 0.3); }},
        {cannot_tell, [](Json& r) { plant_image_gaps(r, 0.0995); }}}},
      {"S2-E2",
       cannot_tell,
       {{agrees, [](Json& r) { plant_weights(r, 0.02, 0.5); }},
        {disagrees, [](Json& r) { plant_weights(r, 0.5, 0.5); }},
        {cannot_tell, [](Json& r) { plant_weights(r, 0.02, 0.02); }},
        {cannot_tell,
         [](Json& r) {
           plant_weights(r, 0.02, 0.5);
           plant_arm(r, "cost 0", {{"error_kept", 0.01}});  // nothing was ambiguous
         }}}},
      {"S2-E2-images",
       cannot_tell,
       {{agrees, [](Json& r) { plant_cheap_picks(r, "right", "wrong", "wrong"); }},
        {disagrees, [](Json& r) { plant_cheap_picks(r, "wrong", "wrong", "wrong"); }},
        {disagrees,
         [](Json& r) {
           plant_cheap_picks(r, "right", "wrong", "wrong");
           plant_cure(r, "turned", "cost-1", "wrong", "green");
         }},
        {cannot_tell, [](Json& r) { plant_cheap_picks(r, "right", "wrong", "right"); }},
        {cannot_tell,
         [](Json& r) {
           plant_cheap_picks(r, "right", "wrong", "wrong");
           plant_cure(r, "kept", "none", "right", "green");  // nothing is ambiguous
         }}}},
      {"S2-E3",
       cannot_tell,
       {{agrees, [](Json& r) { plant_starts(r, {{"gap", 0.05}}); }},
        {disagrees,
         [](Json& r) {
           plant_starts(r, {{"gap", 0.05}});
           plant_arm(r, "flow, 8 steps", {{"gap", 0.3}});
         }},
        {disagrees,
         [](Json& r) {
           plant_starts(r, {{"gap", 0.05}});
           plant_arm(r, "flow, 8 steps", {{"miss", 0.5}});
         }},
        {cannot_tell,
         [](Json& r) {
           plant_starts(r, {{"gap", 0.05}});
           for (Json& row : r["rows"])  // flows that differ
             for (std::size_t k = 0; k < row["runs"].size() && row["arm"] == "flow, 8 steps"; ++k)
               row["runs"][k]["gap"] = k % 2 == 0 ? 0.05 : 0.2;
         }}}},
      {"S2-E3-images",
       cannot_tell,
       {{agrees, [](Json& r) { plant_passes(r, 0.9, 0.85, 0.85); }},
        {disagrees, [](Json& r) { plant_passes(r, 0.9, 0.85, 0.3); }},
        {cannot_tell, [](Json& r) { plant_passes(r, 0.9, 0.85, 0.6); }},
        {cannot_tell, [](Json& r) { plant_passes(r, 0.3, 0.3, 0.3); }}}},
      {"S2-E4",
       agrees,
       {{disagrees, [](Json& r) { r["rows"][0]["errors"]["rk4"][6][1] = 0.2; }},
        {cannot_tell, [](Json& r) { r["rows"][1]["errors"]["rk4"][6][0] = 0.05; }},
        {cannot_tell, [](Json& r) { r["rows"][0]["errors"]["euler"][6][0] = r["rows"][0]["errors"]["euler"][3][0]; }}}},
      {"S2-C3",
       cannot_tell,
       {{agrees, [](Json& r) { plant_facts(r, 0.95, 0.3, 0.3); }},
        {disagrees, [](Json& r) { plant_facts(r, 0.5, 0.3, 0.3); }},
        {disagrees, [](Json& r) { plant_facts(r, 0.95, 0.05, 0.3); }},
        {disagrees, [](Json& r) { plant_facts(r, 0.95, 0.3, 0.05); }},
        {cannot_tell, [](Json& r) { plant_facts(r, 0.95, 0.1025, 0.3); }}}},
      {"S2-C2",
       cannot_tell,
       {{agrees,
         [](Json& r) {
           plant_starts(r, {{"gap", 0.1}}, 0.5);
           plant_apart(r, "transport 0.1", 0.03);
         }},
        {disagrees, [](Json& r) { plant_starts(r, {{"gap", 0.1}}, 0.5); }},
        {cannot_tell, [](Json& r) { plant_starts(r, {{"gap", 0.1}}, 0.03); }}}},
      {"S3-B1",
       cannot_tell,
       {{agrees, [](Json& r) { plant_systems(r, {{"CycleGAN", 0.9}, {"pix2pix", 1}, {"CUT", 0.95}}); }},
        {disagrees, [](Json& r) { plant_systems(r, {{"CycleGAN", 0.9}, {"SimGAN", 0.9}}); }},
        {cannot_tell, [](Json& r) { plant_systems(r, {{"CycleGAN", 0.9}, {"CoGAN", 0.85}}); }},
        {cannot_tell, [](Json& r) { plant_systems(r, {{"CycleGAN", 0.4}}); }}}},
      {"S3-E1",
       cannot_tell,
       {{agrees, [](Json& r) { plant_systems(r, {{"CycleGAN", 0.9}, {"GAN-forward", 0.85}}); }},
        {disagrees, [](Json& r) { plant_systems(r, {{"CycleGAN", 0.9}, {"GAN-alone", 0.95}}); }},
        {cannot_tell, [](Json& r) { plant_systems(r, {{"CycleGAN", 0.9}, {"cycle-alone", 0.85}}); }},
        {cannot_tell, [](Json& r) { plant_systems(r, {{"CycleGAN", 0.9}, {"GAN-backward", 0.95}}); }},
        {cannot_tell, [](Json& r) { plant_systems(r, {{"CycleGAN", 0.4}}); }}}},
      {"audit-battery",
       cannot_tell,
       {{agrees, [](Json& r) { plant_errors(r, ""); }},
        {disagrees, [](Json& r) { plant_errors(r, "green over a wrong run"); }},
        {disagrees, [](Json& r) { plant_errors(r, "green without pairs"); }},
        {cannot_tell, [](Json& r) { plant_errors(r, "not green with pairs over a right run"); }}}}};
  return cases;
}

class PlantedResults : public ::testing::TestWithParam<PlantedCase> {
 protected:
  PlantedResults() { at::set_num_threads(1); }  // as reproduce() does
};

TEST_P(PlantedResults, LeadToEveryVerdict) {
  const PlantedCase& c = GetParam();
  const Experiment& experiment = experiment_named(c.id);
  TestFolder folder;
  const auto log = std::make_shared<NullLog>();
  StopFlag stop;
  const Json results = experiment.measure({Scale::smoke, {0}, "", folder.path, log, stop});
  const Finding found = experiment.judge(results);
  EXPECT_EQ(found.verdict, c.at_smoke) << found.because;
  std::set<Verdict> seen = {found.verdict};
  for (std::size_t k = 0; k < c.plants.size(); ++k) {
    Json planted = results;
    c.plants[k].second(planted);
    const Finding verdict = experiment.judge(planted);
    EXPECT_EQ(verdict.verdict, c.plants[k].first) << "plant " << k << ": " << verdict.because;
    EXPECT_FALSE(verdict.because.empty());
    seen.insert(verdict.verdict);
  }
  EXPECT_EQ(seen.size(), 3u) << "a plant for every verdict";
}

INSTANTIATE_TEST_SUITE_P(All, PlantedResults, ::testing::ValuesIn(planted()), [](const auto& info) {
  std::string name = info.param.id;
  std::erase(name, '-');
  return name;
});

TEST(PlantedResults, ThereIsACaseForEveryExperiment) {
  std::vector<std::string> ids, tested;
  for (const auto& experiment : experiments()) ids.push_back(experiment->info().id);
  for (const PlantedCase& c : planted()) tested.push_back(c.id);
  EXPECT_EQ(ids, tested);
}

TEST(PlantedResults, StoppingJudgesNothing) {
  TestFolder folder;
  const auto log = std::make_shared<NullLog>();
  StopFlag stop;
  stop.request();
  for (const auto& experiment : experiments()) {
    if (experiment->info().id == "S0-C8") continue;  // over before it could stop
    EXPECT_THROW(experiment->measure({Scale::smoke, {0}, "", folder.path, log, stop}), StoppedError)
        << experiment->info().id;
  }
}

}  // namespace
}  // namespace torsor
