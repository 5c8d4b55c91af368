"""The HTML page's style sheet and script: constants, so that the page can allow exactly these two by their hashes."""

from __future__ import annotations

__all__ = ["SCRIPT", "STYLE"]

STYLE = """
:root{color-scheme:light dark;--bg:#f6f7f9;--paper:#fff;--ink:#1b2230;--soft:#5c6678;--rule:#dfe3ea;--accent:#2457c5;
--table:#2457c5;--event:#b4560b;--type:#0d7a63;--function:#7440b8;--head:#eef2fb;--ehead:#fdf1e3;--thead:#e6f5f0;
--fhead:#f3ecfb;--line:#8a94a6;--shadow:0 1px 2px #1b223014}
@media (prefers-color-scheme:dark){:root{--bg:#12151c;--paper:#1a1f29;--ink:#e6eaf2;--soft:#98a3b7;--rule:#2d3443;
--accent:#8fb3ff;--table:#8fb3ff;--event:#f2a65a;--type:#5fd0b3;--function:#c5a3f5;--head:#222b3f;--ehead:#35281b;
--thead:#1a322d;--fhead:#2b2340;--line:#69748a;--shadow:none}}
*{box-sizing:border-box}
html{scroll-padding-top:4.5rem}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
code,svg text,.cols,input{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
header{position:sticky;top:0;z-index:1;background:var(--paper);border-bottom:1px solid var(--rule);padding:.6rem 1.25rem;
display:flex;flex-wrap:wrap;gap:.4rem 1.25rem;align-items:center}
h1{font-size:1.1rem;margin:0}
header p{margin:0;color:var(--soft);font-size:.875rem;flex:1 1 12rem}
input{font-size:1rem;padding:.35rem .7rem;border:1px solid var(--rule);border-radius:6px;background:var(--bg);
color:var(--ink);width:16rem;max-width:100%}
input:focus-visible,a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
main{max-width:88rem;margin:0 auto;padding:1rem 1.25rem 4rem}
h2{font-size:1.05rem;margin:2.2rem 0 .8rem}
h2 small{color:var(--soft);font-weight:400;margin-left:.35rem}
a{color:inherit;text-decoration-color:var(--accent);text-underline-offset:.2em}
.picture{overflow:auto;background:var(--paper);border:1px solid var(--rule);border-radius:10px;max-height:85vh}
.picture svg{display:block;margin:0 auto}
.note{color:var(--soft);font-size:.875rem;margin:.5rem 0 0}
svg text{font-size:12px;fill:var(--ink)}
svg .title{font-weight:600;font-size:13px;fill:var(--hue)}
svg .badge{font-size:10.5px;fill:var(--soft)}
svg .kind{fill:var(--soft)}
svg .key{font-size:10px;font-weight:700;fill:var(--hue)}
svg .body{fill:var(--paper);stroke:var(--rule)}
svg .head{fill:var(--tint)}
svg .box:hover .body,svg .box:focus .body{stroke:var(--hue);stroke-width:2}
.table{--hue:var(--table);--tint:var(--head)}.event{--hue:var(--event);--tint:var(--ehead)}
.type{--hue:var(--type);--tint:var(--thead)}.function{--hue:var(--function);--tint:var(--fhead)}
.line{fill:none;stroke:var(--line);stroke-width:1.4}.line.calls{stroke-dasharray:5 4}.tip{fill:var(--line)}
.dim{opacity:.18}
.cards{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,25rem),1fr));align-items:start}
.card{background:var(--paper);border:1px solid var(--rule);border-radius:10px;box-shadow:var(--shadow);overflow:hidden;
min-width:0}
.card:target{outline:2px solid var(--hue)}
.card h3{margin:0;padding:.5rem .9rem;font-size:.95rem;background:var(--tint);color:var(--hue);display:flex;gap:.4rem .6rem;
flex-wrap:wrap;align-items:baseline;overflow-wrap:anywhere}
.flag{font:500 .72rem/1.5 system-ui,sans-serif;color:var(--soft);border:1px solid var(--rule);border-radius:99px;
padding:0 .5em;background:var(--paper);white-space:nowrap}
.flag.hot{color:var(--event);border-color:currentColor}
.cols{border-collapse:collapse;width:100%;font-size:.8125rem}
.cols td{padding:.22rem .9rem;vertical-align:top;overflow-wrap:anywhere}
.cols tr+tr td{border-top:1px solid var(--rule)}
.cols td:first-child{width:46%}
.cols td+td{padding-left:0;color:var(--soft)}
.cols .why{display:block;font:.75rem/1.5 system-ui,sans-serif;color:var(--soft)}
.cols b{color:var(--hue)}
.more{margin:0;padding:.45rem .9rem .55rem;border-top:1px solid var(--rule);font-size:.8125rem;color:var(--soft);
overflow-wrap:anywhere}
.more code{color:var(--ink)}
.list{list-style:none;margin:0;padding:0;background:var(--paper);border:1px solid var(--rule);border-radius:10px}
.list li{padding:.45rem .9rem;display:flex;flex-wrap:wrap;gap:.2rem .6rem;align-items:baseline}
.list li+li{border-top:1px solid var(--rule)}
.list li:target{background:var(--head)}
.list code{font-size:.8125rem;overflow-wrap:anywhere;white-space:pre-wrap;min-width:0}
[hidden]{display:none!important}
@media (max-width:40rem){header{position:static;padding:.6rem .8rem}main{padding:.5rem .8rem 3rem}input{width:100%}
html{scroll-padding-top:.5rem}}
@media print{:root{color-scheme:light;--bg:#fff;--paper:#fff;--ink:#000;--soft:#444;--rule:#bbb;--table:#123a8c;
--event:#8a3f00;--type:#075c4a;--function:#54289a;--head:#eef2fb;--ehead:#fdf1e3;--thead:#e6f5f0;--fhead:#f3ecfb;
--line:#777}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}header{position:static}input{display:none}
.picture{max-height:none;overflow:visible}.picture svg{max-width:100%;height:auto}.card,.list li{break-inside:avoid}
h2{break-after:avoid}}
"""

SCRIPT = """
(()=>{const find=document.querySelector("input");if(!find)return;find.hidden=false;
const items=[...document.querySelectorAll("[data-find]")];
const boxes=new Map([...document.querySelectorAll("svg a.box")].map(b=>[b.getAttribute("href").slice(1),b]));
const lines=[...document.querySelectorAll("svg .line")];
const look=()=>{const word=find.value.trim().toLowerCase();for(const i of items){
const hit=!word||i.textContent.toLowerCase().includes(word);i.hidden=!hit;
const box=boxes.get(i.id);if(box)box.classList.toggle("dim",!hit);}
for(const l of lines)l.classList.toggle("dim",!!word);
for(const s of document.querySelectorAll("section.group"))s.hidden=!!word&&!s.querySelector("[data-find]:not([hidden])");};
find.addEventListener("input",look);
addEventListener("keydown",e=>{if(e.key==="/"&&document.activeElement!==find){e.preventDefault();find.focus();}
if(e.key==="Escape"&&document.activeElement===find){find.value="";look();}});})();
"""
