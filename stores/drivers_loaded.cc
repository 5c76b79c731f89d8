// SPDX-License-Identifier: MIT
#include <dlfcn.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>

#include "history/masked.h"
#include "stores/drivers.h"
#include "stores/error.h"

namespace flaky {

// The build defines FLAKY_DRIVERS as `FLAKY_DRIVER(sqlite)` for the stores whose driver is linked, and FLAKY_MODULES as
// `"postgres", "turso"` for those whose driver is a module (module.cc).
#define FLAKY_DRIVER(store)    \
  namespace store {            \
  extern const Driver kDriver; \
  }
FLAKY_DRIVERS
#undef FLAKY_DRIVER

namespace {

constexpr std::string_view kModules[] = {FLAKY_MODULES};

#define FLAKY_DRIVER(store) &store::kDriver,
const Driver* const kLinked[] = {FLAKY_DRIVERS nullptr};
#undef FLAKY_DRIVER

const Driver* FindLinked(std::string_view store) {
  for (const Driver* const* driver = kLinked; *driver != nullptr; ++driver) {
    if ((*driver)->name == store) return *driver;
  }
  return nullptr;
}

bool IsModule(std::string_view store) { return std::ranges::find(kModules, store) != std::end(kModules); }

// Returns the path of the module: as installed, or next to the program in the folder of a build.
std::filesystem::path ModuleOf(std::string_view store) {
  std::error_code unknown;
  const std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe", unknown).parent_path();
  const std::string name = std::string(store) + ".so";
  const std::filesystem::path installed = folder / FLAKY_MODULE_FOLDER / name;
  return std::filesystem::exists(installed, unknown) ? installed : folder / "stores" / name;
}

const Driver* Load(std::string_view store) {
  const std::filesystem::path module = ModuleOf(store);
  using GetModulesDriver = const Driver* (*)(const std::shared_ptr<KnownSecrets>&);
  void* const loaded = dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);
  const auto get =
      loaded == nullptr ? nullptr : reinterpret_cast<GetModulesDriver>(dlsym(loaded, "flaky_store_driver"));
  if (get != nullptr) return get(ShareKnownSecrets());
  throw StoreError(ErrorKind::kPermanent, "", "load the store's module", "",
                   std::string(dlerror()) + "; the program has to stay with the modules that are installed with it");
}

}  // namespace

bool HasDriver(std::string_view store) { return FindLinked(store) != nullptr || IsModule(store); }

const Driver* GetDriver(std::string_view store) {
  if (const Driver* driver = FindLinked(store)) return driver;
  if (!IsModule(store)) return nullptr;
  static std::mutex mutex;
  static std::map<std::string, const Driver*, std::less<>> loaded;
  const std::lock_guard hold(mutex);
  if (const auto known = loaded.find(store); known != loaded.end()) return known->second;
  return loaded[std::string(store)] = Load(store);
}

}  // namespace flaky
