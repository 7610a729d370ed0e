#!/usr/bin/env bash
# Fails if a detection or a training step takes over 3 % more instructions than instructions.txt says. This guards
# against lost speed, and other programs on the machine do not disturb it. Uses the AVX2 kernels on any machine that has AVX2.
#   benchmarks/instructions.sh build/release/benchmarks/instructions [detect|train] [--record]
# --record writes the figures of this compiler. Exits with 77 if no figure can be compared.
set -euo pipefail
tolerance=3 # per cent

recorded="$(dirname "${BASH_SOURCE[0]}")/instructions.txt"
program="${1:?usage: instructions.sh PROGRAM [detect|train] [--record]}"
shift
parts=() record=false
for argument in "$@"; do
  case "$argument" in
    detect | train) parts+=("$argument") ;;
    --record) record=true ;;
    *) echo "instructions.sh: unknown argument '$argument'" >&2; exit 2 ;;
  esac
done
((${#parts[@]} > 0)) || parts=(detect train)

skip() {
  echo "skipped: $1"
  exit 77
}
command -v valgrind >/dev/null || skip "valgrind is not installed"
grep -qw avx2 /proc/cpuinfo || skip "this machine has no AVX2"

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
status=0
for part in "${parts[@]}"; do
  compiler="$(ADTR_FORCE_ISA=avx2 valgrind --tool=callgrind --toggle-collect='*counted_call*' \
    --callgrind-out-file=/dev/null --log-file="$log" "$program" "$part")" || { cat "$log" >&2; exit 1; }
  count="$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$log")"
  if [[ -z "$count" || "$count" == 0 ]]; then
    echo "instructions.sh: valgrind counted nothing" >&2
    exit 1
  fi
  if $record; then
    { grep -v "^$part $compiler " "$recorded" || true; echo "$part $compiler $count"; } | sort >"$log"
    cat "$log" >"$recorded"
    echo "$part, $compiler: $count instructions recorded"
    continue
  fi
  expected="$(sed -n "s/^$part $compiler //p" "$recorded")"
  [[ -n "$expected" ]] || skip "no figure recorded for $part with $compiler ($count instructions now)"
  change="$(((count - expected) * 10000 / expected))"
  printf '%s, %s: %d instructions, recorded %d, change in hundredths of a per cent: %+d\n' \
    "$part" "$compiler" "$count" "$expected" "$change"
  if ((change > tolerance * 100)); then
    echo "more than $tolerance %: find the cause, or record the new figure with --record and say why"
    status=1
  elif ((change < -tolerance * 100)); then
    echo "fewer by more than $tolerance %: record the new figure with --record, so that the gain is kept"
  fi
done
exit $status
