"""How a page looks: on paper, on a telephone, on a wide screen, by day and by night. Colours after Okabe and Ito."""

STYLE = """
:root{color-scheme:light dark;--paper:#f6f7f9;--card:#fff;--ink:#1b1f24;--dim:#57606a;--rule:#d5dae0;--grid:#e8ebef;
--k0:#0068a8;--k1:#c04e00;--k2:#007d5a;--k3:#a8447e;--k4:#6b6b6b;--bad:#b3261e;--good:#1a7f37;--badbg:#fdf0ee;
--goodbg:#eef8f0;--band:#00796b1f;--mark:#fff3c4}
@media screen and (prefers-color-scheme:dark){:root{--paper:#14171b;--card:#1d2126;--ink:#e8eaed;--dim:#a3abb5;
--rule:#3a414a;
--grid:#2b3138;--k0:#5ab4f0;--k1:#ff9a4d;--k2:#3cc9a0;--k3:#e89ac4;--k4:#a8a8a8;--bad:#ff8a80;--good:#6fdc8c;
--badbg:#34201f;--goodbg:#1b2c20;--band:#3cc9a026;--mark:#4a3f16}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"DejaVu Sans",sans-serif;overflow-wrap:anywhere}
header,main,footer{max-width:1360px;margin:0 auto;padding:0 clamp(12px,2.5vw,32px)}
header{display:flex;flex-wrap:wrap;gap:4px 16px;align-items:baseline;padding-top:16px;padding-bottom:8px}
.brand{font-weight:700}.source,.dim,footer{color:var(--dim)}.source,code{font-family:ui-monospace,"DejaVu Sans Mono",
monospace;font-size:.86em}
footer{padding-top:24px;padding-bottom:32px;font-size:.87em}
h1{font-size:clamp(1.6rem,4vw,2.5rem);line-height:1.15;margin:.1em 0 .3em}
h2{font-size:1.22rem;margin:1.5em 0 .5em}h3{font-size:1.02rem;margin:0 0 .3em}h4{font-size:.95rem;margin:1em 0 .3em}
p{margin:.4em 0;max-width:78ch}ul,ol,dl{margin:.4em 0;padding:0}
.verdict{background:var(--badbg);border-left:8px solid var(--bad);border-radius:6px;padding:18px clamp(14px,3vw,32px)}
.healthy{background:var(--goodbg);border-color:var(--good)}.silent{background:var(--card);border-color:var(--dim)}
.verdict h2{font-size:1.05rem;margin:1.1em 0 .3em}
.kicker{text-transform:uppercase;letter-spacing:.08em;font-size:.8rem;color:var(--dim);margin:0}
.lead{font-size:1.15rem}
.sure{display:flex;flex-wrap:wrap;align-items:center;gap:4px 12px}.sure code{color:var(--dim)}
.meter{display:inline-block;width:120px;height:10px;border-radius:5px;background:var(--rule);overflow:hidden}
.meter span{display:block;height:100%;background:var(--bad)}
.halves{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr));gap:0 32px}
.quotes{list-style:none}.quotes li{padding:5px 0;border-bottom:1px solid var(--rule)}.quotes li:last-child{border:0}
.verdict .quotes{font-size:1.08rem}.quotes b,.chain b{font-weight:700;background:var(--mark);padding:0 .15em;
border-radius:3px}
.where{color:var(--dim);font-size:.82rem;white-space:nowrap;margin-left:.6em}
.chip{font-size:.75rem;border:1px solid var(--dim);color:var(--dim);border-radius:10px;padding:0 8px;margin-left:8px}
.chain{list-style:none;border-left:2px solid var(--rule);padding-left:14px;margin-left:4px}
.chain li{margin:.55em 0;position:relative}.chain li::before{content:"";position:absolute;left:-14px;top:.75em;
width:9px;border-top:2px solid var(--rule)}
.notes{border-left:8px solid var(--k1);background:var(--card);padding:2px 20px 10px;margin-top:16px;border-radius:6px}
.notes h2{margin-top:.6em}
.plain{padding-left:1.2em}
.card,.evidence{background:var(--card);border:1px solid var(--rule);border-radius:6px;padding:14px 16px;
margin:0;min-width:0}
.evidence{border:2px solid var(--bad)}
.charts,.story,.suspects{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,370px),1fr));gap:16px;
margin-bottom:16px}
.charts .card{display:flex;flex-direction:column}
.charts h3{display:flex;flex-wrap:wrap;gap:2px 10px;align-items:baseline}
.speaks{font-size:.75rem;font-weight:600;color:var(--bad)}
figcaption{font-size:.9rem;color:var(--dim);margin-bottom:8px}figcaption b{color:var(--ink)}
.chart{display:block;width:100%;height:auto}
.key{list-style:none;display:flex;flex-wrap:wrap;gap:2px 16px;font-size:.82rem;margin-top:8px}
.sign{width:22px;height:14px;vertical-align:-2px}
.chart text{font-size:12px;fill:var(--dim)}.chart text.name{fill:var(--ink)}
.grid{stroke:var(--grid)}.axis{stroke:var(--dim)}
.k0{--c:var(--k0)}.k1{--c:var(--k1)}.k2{--c:var(--k2)}.k3{--c:var(--k3)}.k4{--c:var(--k4)}.ink{--c:var(--ink)}
.line{fill:none;stroke:var(--c,var(--k4));stroke-width:2;stroke-linejoin:round}
.line.k1{stroke-dasharray:7 3}.line.k2{stroke-dasharray:2 3}.line.k3{stroke-dasharray:9 3 2 3}
.line.dashed{stroke-dasharray:5 3}
.dot{fill:var(--c);stroke:var(--card);stroke-width:.8}.ring{fill:var(--card);stroke:var(--c);stroke-width:2}
.paper{--c:var(--ink)}.spread{fill:var(--c);opacity:.22}
.band,.band-key{fill:var(--band);stroke:var(--k2);stroke-width:.7}
.level{stroke:var(--dim);stroke-width:1.5;stroke-dasharray:2 4;fill:none}
.bar,.bar-key{fill:var(--c)}.faint{opacity:.38}.hollow{fill:none;stroke:var(--c);stroke-width:1.5}
.rug,.rug-key{stroke:var(--ink);stroke-width:1.3}
.event line{stroke:var(--bad);stroke-width:1;opacity:.55}.event path,.event-key{fill:var(--bad);stroke:var(--bad);
stroke-width:1.6}
.lost{fill:var(--bad);opacity:.13}.cross,.lost-key{stroke:var(--bad);stroke-width:2;fill:none}
.ring-key{fill:none;stroke:var(--ink);stroke-width:2}
.timeline{list-style:none}.timeline li{display:grid;grid-template-columns:88px 1fr;gap:10px;padding:4px 0;
border-bottom:1px solid var(--grid)}.when{color:var(--dim);font-size:.87rem}.timeline .bad{color:var(--bad)}
.settings{display:grid;grid-template-columns:fit-content(40%) minmax(0,1fr);gap:4px 14px}.settings dt{color:var(--dim)}
.settings dd{margin:0;min-width:0}.settings ol{padding-left:1.6em;margin:0}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:4px 8px;border-bottom:1px solid var(--grid);text-align:right;overflow-wrap:normal}
th:first-child{text-align:left;font-weight:400}thead th{font-weight:600}
.proof table{max-width:860px;font-size:1rem;background:var(--card)}
.share{background:linear-gradient(to right,var(--band) var(--share),transparent var(--share))}
.reasons{columns:370px;column-gap:24px}.reason{break-inside:avoid;padding-bottom:12px}
.story{align-items:start}
.reason dt{color:var(--dim);font-size:.9rem}.reason dd{margin:0 0 0 1em}
.fine{list-style:none;display:flex;flex-wrap:wrap;gap:6px}.fine li{border:1px solid var(--rule);border-radius:12px;
padding:1px 10px;font-size:.85rem}.cure{font-size:1.08rem;font-weight:600}
.settings ol{font-size:.9em}
@media print{:root{color-scheme:light;--paper:#fff;--badbg:#fff;--goodbg:#fff}body{font-size:11pt}
.card,.verdict,.reason{break-inside:avoid}h2,h3{break-after:avoid}.charts,.story{grid-template-columns:1fr 1fr}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""
HUES = "".join(
    f".h{i}{{--c:var(--k0);--c:color-mix(in oklab,var(--k1) {10 * i}%,var(--k0))}}" for i in range(11)
)  # from the first layer to the last; blue to orange, which all eyes tell apart
STYLE += HUES
