/// The style sheet of the report, for light and dark mode, for phones and desktops. It loads nothing.
#pragma once

#include <string_view>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {

inline constexpr std::string_view report_style = R"css(
:root{color-scheme:light dark;--page:#f5f6f8;--card:#fff;--ink:#16202b;--soft:#566372;--line:#d9dee5;
--good:#1b7f79;--bad:#b3123a;--warn:#9a5b00}
@media (prefers-color-scheme:dark){:root{--page:#10151b;--card:#19212a;--ink:#e8edf2;--soft:#9dabb9;--line:#2e3944;
--good:#4cc3b8;--bad:#ff7189;--warn:#f0b04c}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:84rem;margin:0 auto;padding:1.5rem clamp(.75rem,3vw,2.5rem) 3rem}
h1{font-size:clamp(1.5rem,4vw,2.1rem);line-height:1.2;margin:0;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2.5rem 0 .25rem}
p{margin:.25rem 0;color:var(--soft)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;margin:1.25rem 0}
.tile,.card,.histogram,.table{background:var(--card);border:1px solid var(--line);border-radius:.6rem}
.tile{padding:.7rem 1rem}
.tile b{display:block;font-size:1.7rem;line-height:1.25;font-variant-numeric:tabular-nums}
.tile b small{font-size:1rem;font-weight:400;color:var(--soft)}
.tile b{overflow-wrap:anywhere}
.tile span{color:var(--soft);font-size:.9rem}
.remarks{margin:1rem 0;padding:.2rem 1rem .8rem;border:1px solid var(--warn);border-radius:.6rem;background:var(--card)}
.remarks h2{margin:.6rem 0 0;color:var(--warn)}
.remarks ul{margin:.3rem 0 0;padding-left:1.2rem}
.remarks li{overflow-wrap:anywhere}
.histogram{margin:1rem 0 0;padding:1rem}
.plot{height:13rem}
.plot svg{display:block;width:100%;height:100%}
rect.good{fill:var(--good)}
rect.defective{fill:var(--bad)}
line{vector-effect:non-scaling-stroke;stroke:var(--soft);stroke-width:1}
line.threshold{stroke:var(--ink);stroke-width:2;stroke-dasharray:6 4}
.ticks{position:relative;height:1.6rem;font-size:.85rem;color:var(--soft);font-variant-numeric:tabular-nums}
.ticks span{position:absolute;transform:translateX(-50%)}
figcaption{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;font-size:.9rem;color:var(--soft)}
.key::before{content:"";display:inline-block;width:.8em;height:.8em;margin-right:.45em;border-radius:2px;vertical-align:-.05em}
.key.good::before{background:var(--good)}
.key.defective::before{background:var(--bad)}
.key.threshold::before{height:0;width:1.3em;border-radius:0;border-top:2px dashed var(--ink);vertical-align:.25em}
.legend{display:flex;align-items:center;flex-wrap:wrap;gap:.35rem .6rem;margin-top:.9rem;font-size:.9rem;color:var(--soft)}
.legend i{background-color:#b9bdc2;flex:0 1 14rem;min-width:7rem;height:.8rem;border-radius:.4rem;border:1px solid var(--line)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,35rem),1fr));gap:1rem;margin-top:.75rem}
.card{padding:.8rem}
.card header{display:flex;align-items:baseline;flex-wrap:wrap;gap:.1rem .7rem;margin-bottom:.55rem}
.card header b{overflow-wrap:anywhere;flex:1 1 14rem}
.score{font-variant-numeric:tabular-nums}
.chip{font-size:.8rem;font-weight:600;padding:.05rem .55rem;border-radius:1rem;border:1px solid currentColor}
.chip.found,.chip.passed{color:var(--good)}
.chip.missed{color:var(--bad)}
.chip.rejected{color:var(--warn)}
.views{display:grid;grid-auto-flow:column;grid-auto-columns:minmax(0,1fr);gap:.4rem}
.views figure{margin:0}
.views figcaption{font-size:.8rem;margin-top:.15rem}
.views img{display:block;width:100%;height:auto;border-radius:.3rem;background:var(--line)}
.none{display:grid;place-items:center;aspect-ratio:1;text-align:center;padding:.5rem;border:1px dashed var(--line);
border-radius:.3rem;color:var(--soft);font-size:.85rem}
.tables{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:0 1.5rem;align-items:start}
.table{margin-top:.75rem;padding:.25rem 1rem}
table{border-collapse:collapse;width:100%}
th,td{padding:.4rem 0;border-top:1px solid var(--line);text-align:left;vertical-align:top;overflow-wrap:anywhere}
tr:first-child>*{border-top:0}
th{font-weight:400;color:var(--soft);padding-right:1rem}
td{text-align:right;font-variant-numeric:tabular-nums}
td.missing{color:var(--soft);font-style:italic}
)css";

}  // namespace ADTR_ABI
}  // namespace adtr
