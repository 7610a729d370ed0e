/// Compares the files that a command will read and write before it starts, so that it destroys no file of the user.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/io/file_identity.hpp"
#include "adtr/io/file_kind.hpp"
#include "adtr/io/path_status.hpp"
#include "adtr/io/temporary_files.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Collects every file that a command will read or write, each with its role for the user ("--json", "the model").
/// check() compares them. Call it before any work, and before the folders of outputs are created.
///
/// - No output is the same file as an input or another output. Existing files are compared by device
///   and inode, so that links of every kind are followed; others by name, without links, "." and "..".
/// - No output is a parent folder of another output.
/// - No heat map or score map lies in a folder whose images are inputs: the next run would read it as an image.
/// - An output that already exists was written by adtr and has the same kind (is_of_kind), or is empty.
///
/// Devices, pipes and the standard streams (/dev/stdout) are exempt. Made for tens of thousands of files: an input
/// costs one system call, an output a few, and each file one entry in a hash map.
class FilePlan {
 public:
  /// The command will read `file`. A missing file is no error here.
  void reads(std::string_view role, const std::filesystem::path& file) {
    struct ::stat status {};
    if (file.empty() || standard_descriptor(file.native())) return;
    const bool exists = ::stat(file.c_str(), &status) == 0;
    if (exists && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return;
    const std::size_t number = add(inputs_, role, file);
    if (exists)
      input_ids_.emplace(file_id(status), number);
    else
      input_names_.emplace(resolved(file), number);
  }

  /// The command will read the images in `folder` and, if `with_sub_folders`, those in the folders below it.
  void reads_folder(std::string_view role, const std::filesystem::path& folder, bool with_sub_folders) {
    struct ::stat status {};
    if (folder.empty() || ::stat(folder.c_str(), &status) != 0) return;
    const auto [it, fresh] = folders_.try_emplace(file_id(status));
    if (fresh) it->second = {add(inputs_, role, folder), false};
    it->second.with_sub_folders |= with_sub_folders;
  }

  /// The command will write `file`, which is of kind `kind`.
  void writes(std::string_view role, const std::filesystem::path& file, FileKind kind) {
    outputs_.push_back({role_number(role), file, kind, file.empty() ? "" : resolved(file)});
  }

  /// Throws Error with one sentence about the first bad output. The code is file_conflict, file_unwritable for an
  /// output that is a folder, or option for an empty path.
  void check() const {
    std::unordered_map<FileId, const Output*, FileIdHash> ids;
    std::unordered_map<std::string, const Output*> names;
    std::unordered_set<std::string> checked;
    for (const Named& input : inputs_) refuse_temporary_name(input.file);
    for (const Output& output : outputs_) {
      if (output.file.empty())
        throw Error(roles_[output.role] + ": expected the name of a file, found an empty one", ErrorCode::option);
      refuse_temporary_name(output.file);
      struct ::stat status {};
      const bool exists = ::stat(output.file.c_str(), &status) == 0;
      if (standard_descriptor(output.file.native())) continue;
      if (exists && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) continue;
      if (exists) {
        if (const auto it = input_ids_.find(file_id(status)); it != input_ids_.end())
          overwrites(output, inputs_[it->second]);
        if (const auto [it, fresh] = ids.emplace(file_id(status), &output); !fresh) meets(output, *it->second);
      }
      if (const auto it = input_names_.find(output.name); it != input_names_.end())
        overwrites(output, inputs_[it->second]);
      if (const auto [it, fresh] = names.emplace(output.name, &output); !fresh) meets(output, *it->second);
      if (exists && S_ISDIR(status.st_mode)) throw path_error(output.file, EISDIR, PathUse::write_file);
      if (output.kind == FileKind::heat_map || output.kind == FileKind::score_map) check_folders(output, checked);
      if (exists && !is_of_kind(output.file, output.kind))
        throw conflict(output.file, "exists and is not " + std::string(name_of(output.kind)) +
                                        " that adtr wrote; it is left as it is (" + roles_[output.role] + ")");
    }
    checked.clear();
    for (const Output& output : outputs_) check_above(output, names, checked);
  }

 private:
  struct Named {
    std::size_t role;
    std::filesystem::path file;
  };
  struct Output {
    std::size_t role;
    std::filesystem::path file;
    FileKind kind;
    std::string name;  ///< without links
  };
  struct Folder {
    std::size_t input = 0;
    bool with_sub_folders = false;
  };

  [[nodiscard]] static Error conflict(const std::filesystem::path& file, const std::string& sentence) {
    return file_error(file.string(), sentence, ErrorCode::file_conflict);
  }

  std::size_t role_number(std::string_view role) {
    const auto [it, fresh] = role_numbers_.emplace(role, roles_.size());
    if (fresh) roles_.emplace_back(role);
    return it->second;
  }

  std::size_t add(std::vector<Named>& list, std::string_view role, const std::filesystem::path& file) {
    list.push_back({role_number(role), file});
    return list.size() - 1;
  }

  /// resolved_path() that resolves each folder once. On failure returns the path unchanged: writing it will fail too.
  [[nodiscard]] std::string resolved(const std::filesystem::path& file) {
    std::error_code error;
    if (!file.has_filename() || file.filename() == "." || file.filename() == ".." ||
        std::filesystem::is_symlink(file, error))
      return resolved_path(file, error).string();
    const std::string folder = file.parent_path().string();
    auto it = resolved_folders_.find(folder);
    if (it == resolved_folders_.end())
      it = resolved_folders_.emplace(folder, resolved_path(folder.empty() ? "." : folder, error)).first;
    return (it->second / file.filename()).string();
  }

  /// Refuses names that AtomicFile gives: such a file is removed as soon as no process writes it.
  static void refuse_temporary_name(const std::filesystem::path& file) {
    if (is_temporary_name(file.filename().native()))
      throw conflict(file, "has a name that adtr gives to its temporary files, which it removes; give it another name");
  }

  [[noreturn]] void overwrites(const Output& output, const Named& input) const {
    const std::string same =
        output.file == input.file ? "is a file that" : "is the same file as " + input.file.string() + ", which";
    throw conflict(output.file, same + " this command reads (" + roles_[input.role] + "); " + roles_[output.role] +
                                    " may not write over it");
  }

  [[noreturn]] void meets(const Output& output, const Output& other) const {
    const std::string same =
        output.file == other.file ? "would be written" : "is the same file as " + other.file.string() + ", written";
    throw conflict(output.file,
                   same +
                       (output.role == other.role ? " twice by " + roles_[output.role]
                                                  : " by " + roles_[other.role] + " and by " + roles_[output.role]) +
                       "; give each a name of its own");
  }

  /// Throws if the folder of a map, or a folder above it, is one whose images are inputs.
  void check_folders(const Output& output, std::unordered_set<std::string>& checked) const {
    if (folders_.empty()) return;
    const std::filesystem::path holds = std::filesystem::path(output.name).parent_path();
    if (!checked.insert(holds.string()).second) return;
    bool direct = true;
    for (std::filesystem::path at = holds;; at = at.parent_path()) {
      struct ::stat status {};
      if (::stat(at.c_str(), &status) == 0) {
        const auto it = folders_.find(file_id(status));
        if (it != folders_.end() && (direct || it->second.with_sub_folders)) {
          const Named& input = inputs_[it->second.input];
          throw conflict(output.file, "would lie " + std::string(direct ? "in " : "below ") + input.file.string() +
                                          ", whose images are " + roles_[input.role] +
                                          ": the next run would take it for one of them; give " + roles_[output.role] +
                                          " another folder");
        }
      }
      direct = false;
      if (at == at.parent_path()) return;
    }
  }

  /// Throws if another output has the name of a folder that contains this one.
  void check_above(const Output& output, const std::unordered_map<std::string, const Output*>& names,
                   std::unordered_set<std::string>& checked) const {
    if (outputs_.size() < 2 || standard_descriptor(output.file.native())) return;
    const std::filesystem::path holds = std::filesystem::path(output.name).parent_path();
    if (!checked.insert(holds.string()).second) return;
    for (std::filesystem::path at = holds; at != at.parent_path(); at = at.parent_path())
      if (const auto it = names.find(at.string()); it != names.end())
        throw conflict(it->second->file, "would be written by " + roles_[it->second->role] + ", but " +
                                             roles_[output.role] + " needs a folder of that name for " +
                                             output.file.string());
  }

  std::vector<std::string> roles_;
  std::unordered_map<std::string, std::size_t> role_numbers_;
  std::vector<Named> inputs_;  ///< files and folders
  std::vector<Output> outputs_;
  std::unordered_map<FileId, std::size_t, FileIdHash> input_ids_;
  std::unordered_map<std::string, std::size_t> input_names_;  ///< of inputs that do not exist
  std::unordered_map<FileId, Folder, FileIdHash> folders_;
  std::unordered_map<std::string, std::filesystem::path> resolved_folders_;
};

}  // namespace ADTR_ABI
}  // namespace adtr
