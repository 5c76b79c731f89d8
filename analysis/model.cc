// SPDX-License-Identifier: MIT
#include "analysis/model.h"

#include <array>
#include <sstream>
#include <stdexcept>
#include <string>

namespace flaky {
namespace {

constexpr std::array kConstants = {
    ModelConstant{"share_flaky", &Model::share_flaky, 1e-5, 0.5, "share of tests that are flaky when first seen"},
    ModelConstant{"turns_flaky", &Model::turns_flaky, 0, 0.1, "probability per day that a healthy test turns flaky"},
    ModelConstant{"is_mended", &Model::is_mended, 0, 0.5, "probability per day that a flaky test is mended"},
    ModelConstant{"clustering", &Model::clustering, 1, 10, "variance of a flaky test's failures over the binomial one"},
    ModelConstant{"together", &Model::together, 0, 0.9, "share of flaky tests that fail together with others"},
    ModelConstant{"trouble_share", &Model::trouble_share, 0, 0.5,
                  "share of parts in which the machine fails a few tests"},
    ModelConstant{"trouble_tests", &Model::trouble_tests, 0.1, 20, "how many tests it fails then, more or less"},
    ModelConstant{"outage_share", &Model::outage_share, 0, 0.5, "share of parts in which it fails many tests"},
    ModelConstant{"outage_least", &Model::outage_least, 0.001, 0.5, "least share of the tests that an outage fails"},
    ModelConstant{"killed", &Model::killed, 0, 1, "probability that the machine killed a test that was killed"},
    ModelConstant{"break_share", &Model::break_share, 0, 0.9, "share of code versions that break tests"},
    ModelConstant{"break_tests", &Model::break_tests, 0.1, 20, "how many tests it breaks then, more or less"},
    ModelConstant{"break_suite", &Model::break_suite, 0, 0.9, "share of such versions that break a whole suite"},
    ModelConstant{"break_crowd", &Model::break_crowd, 0, 0.9, "share of such versions that break many tests"},
    ModelConstant{"stays_broken", &Model::stays_broken, 0.01, 0.99,
                  "probability that the next version is still broken"},
    ModelConstant{"one_variant", &Model::one_variant, 0, 0.9, "share of breakages that show in one variant only"},
    ModelConstant{"dirty_broken", &Model::dirty_broken, 0, 0.9, "probability that edited code breaks a test"},
    ModelConstant{"base_moves", &Model::base_moves, 0, 1, "probability that a branch takes over the default branch"},
    ModelConstant{"flaky_at", &Model::flaky_at, 0.01, 0.99, "P(flaky) from which a test is flaky"},
    ModelConstant{"flaky_until", &Model::flaky_until, 0.001, 0.99, "P(flaky) above which it stays flaky"},
    ModelConstant{"suspect_at", &Model::suspect_at, 0.01, 0.99, "P(flaky) from which a test is suspect"},
    ModelConstant{"broken_at", &Model::broken_at, 0.01, 0.99, "P(broken) from which a test is broken"},
    ModelConstant{"newly_days", &Model::newly_days, 0.01, 365, "days for which a flaky test is newly flaky"},
    ModelConstant{"newly_until", &Model::newly_until, 0.01, 1,
                  "P(flaky) before these days, as a share of today's, from which it is not new"},
    ModelConstant{"fixed_days", &Model::fixed_days, 0.01, 365, "days for which a test that was mended is fixed"},
    ModelConstant{"new_below", &Model::new_below, 0, 1000, "executions below which a test is new"},
};

}  // namespace

std::span<const ModelConstant> ModelConstants() { return kConstants; }

void SetConstant(Model& model, std::string_view name, double value) {
  for (const ModelConstant& constant : kConstants) {
    if (constant.name != name) continue;
    if (value >= constant.least && value <= constant.most) {
      model.*constant.member = value;
      return;
    }
    std::ostringstream text;
    text << "invalid " << name << " " << value << "; expected a number from " << constant.least << " to "
         << constant.most;
    throw std::invalid_argument(text.str());
  }
  throw std::invalid_argument("invalid constant '" + std::string(name) + "'; expected a name of the model");
}

}  // namespace flaky
