"""Checks the commands that the pages show: programs, options and their values, targets, presets, tests and paths."""

import functools
import glob
import json
import pathlib
import re
import shlex
import subprocess

from pages import Fault

# Commands of the system. Nothing about them is checked.
SYSTEM = {"cd", "cp", "echo", "export", "git", "ls", "mkdir", "nsys", "pip", "rm", "sudo"}
# Options of CMake, CTest, Python and other programs that the project does not define.
FOREIGN = {"--preset", "--build", "--target", "--install", "--prefix", "--no-deps", "--expt-relaxed-constexpr"}


def split(text: str, place: str) -> list[list[str]]:
    """The simple commands of a shell text: words, without comments."""
    commands: list[list[str]] = []
    for line in text.replace("\\\n", " ").split("\n"):
        lexer = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        command: list[str] = []
        try:
            for word in lexer:
                if word in ("&&", ";", "|", "||"):
                    commands.append(command)
                    command = []
                else:
                    command.append(word)
        except ValueError as e:
            raise Fault(f"{place}: the shell cannot read this: {e}") from e
        commands.append(command)
    return [c for c in commands if c]


class Checker:
    """Checks commands against the programs and scripts of a build."""

    def __init__(self, root: pathlib.Path, build: pathlib.Path, programs: dict[str, str]) -> None:
        self.root = root
        self.build = build
        self.programs = programs  # by name: where they are
        self.variables: dict[str, str] = {}

    @functools.cache
    def help_of(self, program: str, command: str = "") -> str:
        arguments = [self.programs[program], *([command] if command else []), "--help"]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Fault(f"{program} {command} --help ends with {done.returncode}")
        return done.stdout

    @functools.cache
    def source_of(self, script: str) -> str:
        """A script with the modules beside it, where its options are defined."""
        return (self.root / script).read_text(encoding="utf-8")

    @functools.cache
    def presets(self) -> set[str]:
        text = (self.root / "CMakePresets.json").read_text(encoding="utf-8")
        return {p["name"] for p in json.loads(text)["configurePresets"] if not p.get("hidden")}

    @functools.cache
    def targets(self) -> str:
        command = ["cmake", "--build", str(self.build), "--target", "help"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    @functools.cache
    def tests(self, flag: str, value: str) -> int:
        command = ["ctest", "--test-dir", str(self.build), "-N", flag, value]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return int(re.search(r"Total Tests: (\d+)", listed)[1])

    def commands_of(self, program: str) -> list[str]:
        """The names under `Subcommands:` in a program's help."""
        return re.findall(r"^  ([a-z]\w*) ", self.help_of(program).partition("Subcommands:")[2], re.MULTILINE)

    @functools.cache
    def all_options(self) -> set[str]:
        """Every option that any program or script of the project defines."""
        options = set(FOREIGN)
        for program in self.programs:
            for text in [self.help_of(program), *(self.help_of(program, name) for name in self.commands_of(program))]:
                options |= set(re.findall(r"--[a-z][a-z0-9-]*", text))
        scripts = [*self.root.glob("tools/*")]
        for ending in ("py", "cpp", "sh"):
            scripts += self.root.glob(f"benchmarks/**/*.{ending}")
        for script in scripts:
            if script.is_file():
                options |= set(re.findall(r"--[a-z][a-z0-9-]*", script.read_text(encoding="utf-8")))
        return options

    def expand(self, word: str, place: str) -> str:
        def value(found: re.Match) -> str:
            if found[1] not in self.variables:
                raise Fault(f"{place}: ${found[1]} has no value")
            return self.variables[found[1]]

        return re.sub(r"\$(\w+)", value, word)

    def check(self, words: list[str], place: str, whole: bool = True) -> None:
        """Checks one command. `whole`: required options must be there and paths must exist."""
        words = [self.expand(word, place) for word in words]
        while words and re.fullmatch(r"\w+=.*", words[0]):
            name, value = words.pop(0).split("=", 1)
            self.variables[name] = value
            if words and not self.named_in_sources(name):
                raise Fault(f"{place}: nothing reads the environment variable {name}")
        if not words:
            return
        program, *arguments = words
        name = pathlib.PurePath(program).name
        if program == "/usr/bin/time":
            self.check(arguments[2:], place, whole)
        elif name in self.programs and program in (name, f"build/release/bin/{name}", f"build/release/benchmarks/{name}"):
            self.check_program(name, arguments, place, whole)
        elif program == "cmake":
            self.check_cmake(arguments, place)
        elif program == "ctest":
            self.check_ctest(arguments, place)
        elif program in ("python", "python3"):
            if arguments[:2] != ["-m", "pip"]:
                self.check_script(arguments[0], arguments[1:], place)
        elif program.startswith(("build/release/tests/", "build/release/benchmarks/")):
            self.check_target(name, place)
        elif "/" in program:
            self.check_script(program, arguments, place)
        elif program not in SYSTEM:
            raise Fault(f"{place}: the command '{program}' is not known")

    @functools.cache
    def named_in_sources(self, name: str) -> bool:
        folders = ("tests", "benchmarks", "include", "tools", "examples")
        files = (f for folder in folders for f in (self.root / folder).rglob("*") if f.suffix in (".cpp", ".hpp", ".py"))
        return any(name in f.read_text(encoding="utf-8") for f in files if f.name != "commands.py")

    def check_program(self, program: str, arguments: list[str], place: str, whole: bool) -> None:
        overview = self.help_of(program)
        command = ""
        if "Subcommands:" in overview and arguments and not arguments[0].startswith("-"):
            command = arguments[0]
            for one in command.split("|"):  # mvtec|cifar stands for either
                if one not in self.commands_of(program):
                    raise Fault(f"{place}: {program} has no command '{one}'")
            if "|" in command:
                return
        text = self.help_of(program, command)
        if not whole and not command:  # `adtr --threads N` stands for any command
            text = "\n".join([text, *(self.help_of(program, name) for name in self.commands_of(program))])
        given = [a.split("=")[0] for a in arguments if a.startswith("--")]
        for option in given:
            if program == "kernels" and option.startswith("--benchmark_"):
                continue
            line = re.search(rf"^\s+(?:-\w,)?{option}(?:\s+(\S+).*)?$", text, re.MULTILINE)
            if not line:
                raise Fault(f"{place}: {program} {command} has no option {option}")
            choices = re.search(r"\{([\w,]+)\}", line[1] or "")
            position = arguments.index(option) + 1
            if choices and position < len(arguments):
                for value in arguments[position].split("|"):
                    if value not in choices[1].split(",") and not (program == "adtr_benchmark" and value == "cuda"):
                        raise Fault(f"{place}: {option} takes {choices[1]}, found {value}")
        if program == "kernels":
            listed = subprocess.run([self.programs[program], "--benchmark_list_tests", *arguments], capture_output=True,
                                    text=True, check=False)
            if not listed.stdout.strip() or "Failed to match" in listed.stdout + listed.stderr:
                raise Fault(f"{place}: the filter selects no benchmark")
        if whole and "--help" not in given:
            for option in re.findall(r"^\s+(--[a-z-]+) .*REQUIRED", text, re.MULTILINE):
                if option not in given:
                    raise Fault(f"{place}: {program} {command} needs {option}")

    def check_script(self, script: str, arguments: list[str], place: str) -> None:
        if not (self.root / script).is_file():
            raise Fault(f"{place}: there is no file {script}")
        for argument in arguments:
            option = argument.split("=")[0]
            if option.startswith("--") and not re.search(rf"(?<![\w-]){option}(?![\w-])", self.source_of(script)):
                raise Fault(f"{place}: {script} has no option {option}")

    def check_target(self, target: str, place: str) -> None:
        if not re.search(rf"(?<![\w-]){re.escape(target)}(?![\w-])", self.targets()):
            raise Fault(f"{place}: there is no target {target}")

    def check_cmake(self, arguments: list[str], place: str) -> None:
        cache = (self.build / "CMakeCache.txt").read_text(encoding="utf-8")
        for position, argument in enumerate(arguments):
            value = arguments[position + 1] if position + 1 < len(arguments) else ""
            if argument == "--preset" and value not in self.presets():
                raise Fault(f"{place}: there is no preset {value}")
            if argument == "--target":
                self.check_target(value, place)
            option = re.match(r"-D(ADTR_\w+)", argument)
            if option and not re.search(rf"^{option[1]}:", cache, re.MULTILINE):
                raise Fault(f"{place}: CMake has no option {option[1]}")

    def check_ctest(self, arguments: list[str], place: str) -> None:
        for flag, value in zip(arguments, arguments[1:]):
            if flag == "--preset" and value not in self.presets():
                raise Fault(f"{place}: there is no preset {value}")
            if flag in ("-R", "-L") and self.tests(flag, value) == 0:
                raise Fault(f"{place}: ctest {flag} {value} selects no test")


def run(words: list[str], program: str, folder: pathlib.Path, place: str) -> None:
    """Runs a command of adtr in `folder`, where what it names lies."""
    arguments = []
    for word in words[1:]:
        arguments += sorted(glob.glob(word, root_dir=folder)) or [word] if "*" in word else [word]
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Fault(f"{place}: status {done.returncode}: {shlex.join(words)}\n{done.stderr}")
