import { type Html, markup } from "./html.ts";
import { tokens } from "./tokens.ts";

const colours = Object.values(tokens).flatMap((group) => Object.entries(group))
  .map(([name, [light, dark]]) => `--${name}:light-dark(${light},${dark})`).join(";");

const hues = Array.from(
  { length: 12 },
  (_, hue) =>
    `.h${hue}{color:light-dark(oklch(.58 .14 ${hue * 30 + 15}),oklch(.74 .12 ${hue * 30 + 15}))}`,
).join("");

const depths = Array.from(
  { length: 13 },
  (_, depth) => `.d${depth}{padding-left:${depth * 1.25}rem}`,
).join("");

/** The style of all pages. Hashed as a whole by the policy of their content: no element has a style of its own. */
export const style: Html = markup`:root{color-scheme:light dark;${colours};
--sans:"Inter",ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
--mono:"JetBrains Mono",ui-monospace,"SF Mono","Cascadia Code",Menlo,Consolas,monospace}
*{box-sizing:border-box}
html{scroll-padding-top:5rem}
body{margin:0;background:var(--page);color:var(--ink);font:14px/1.55 var(--sans);
font-feature-settings:"cv05","cv11","ss03";-webkit-font-smoothing:antialiased;text-rendering:optimizeLegibility}
a{color:var(--accent);text-decoration:none;text-underline-offset:.2em}
a:hover{text-decoration:underline}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
code,pre,kbd,.mono,.id{font-family:var(--mono);font-size:.9em;font-variant-ligatures:none}
time,.number,td,dd{font-variant-numeric:tabular-nums}
.skip{position:absolute;left:-999px;top:.5rem;padding:.5rem 1rem;background:var(--panel);z-index:9}
.skip:focus{left:1rem}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.top{position:sticky;top:0;z-index:5;background:color-mix(in oklab,var(--panel) 92%,transparent);
backdrop-filter:blur(10px);border-bottom:1px solid var(--line)}
.top>div{max-width:1240px;margin:auto;padding:0 1.5rem;display:flex;align-items:center;gap:1.75rem;min-height:3.5rem}
.brand{display:flex;align-items:center;gap:.55rem;font-weight:650;letter-spacing:-.015em;color:var(--ink);white-space:nowrap}
.brand:hover{text-decoration:none}
.brand svg{width:1.15rem;height:1.15rem;color:var(--accent)}
nav.tabs{display:flex;min-width:0;gap:.15rem;overflow-x:auto;scrollbar-width:none;align-self:stretch}
nav.tabs a{display:flex;align-items:center;gap:.4rem;padding:0 .7rem;color:var(--soft);font-weight:500;white-space:nowrap;
border-bottom:2px solid transparent;border-top:2px solid transparent}
nav.tabs a:hover{color:var(--ink);text-decoration:none}
nav.tabs a[aria-current]{color:var(--ink);border-bottom-color:var(--accent)}
.badge{background:var(--removed);color:var(--bad);font-size:.72rem;font-weight:650;padding:0 .4rem;border-radius:9px;line-height:1.15rem}
.tenants{display:flex;gap:.4rem;margin-left:auto}
.tenants select{max-width:10rem}
.tenants+.find{margin-left:0}
.find{margin-left:auto;position:relative;flex:0 1 19rem}
.find input{width:100%}
.find kbd{position:absolute;right:.5rem;top:50%;translate:0 -50%;pointer-events:none}
input,select,textarea,button,.button{font:inherit;color:inherit;border:1px solid var(--firm);border-radius:7px;background:var(--panel);padding:.32rem .7rem}
input::placeholder{color:var(--soft);opacity:1}
button,.button{display:inline-flex;align-items:center;gap:.4rem;font-weight:550;cursor:pointer;color:var(--ink);white-space:nowrap}
button:hover,.button:hover{border-color:var(--soft);text-decoration:none;background:var(--raised)}
button.danger{color:var(--bad);border-color:var(--bad)}
button.main{background:var(--accent);border-color:var(--accent);color:var(--panel)}
button.main:hover{filter:brightness(1.08)}
label{font-weight:550}
kbd{border:1px solid var(--line);border-bottom-width:2px;border-radius:4px;padding:0 .35rem;font-size:.75rem;color:var(--soft);background:var(--panel)}
main{max-width:1240px;margin:auto;padding:1.9rem 1.5rem 4rem}
h1{font-size:1.5rem;line-height:1.25;font-weight:650;letter-spacing:-.022em;margin:0;overflow-wrap:anywhere}
h1.id{font-size:1.3rem;letter-spacing:-.01em}
h2{font-size:.95rem;font-weight:620;letter-spacing:-.008em;margin:0}
h3{font-size:.85rem;font-weight:600;margin:1.1rem 0 .4rem}
p{margin:.4rem 0;max-width:68ch}
.head{display:flex;flex-wrap:wrap;align-items:baseline;gap:.4rem 1rem;margin-bottom:1.4rem}
.head .facts{color:var(--soft)}
.head .side{margin-left:auto}
.crumb{display:block;width:100%;color:var(--soft);font-size:.82rem}
.soft,.gist i,.facts{color:var(--soft)}
.small{font-size:.86rem}
.panel{background:var(--panel);border:1px solid var(--line);border-radius:12px;margin-bottom:1.25rem;overflow:clip}
.panel>header{display:flex;flex-wrap:wrap;align-items:baseline;gap:.3rem 1rem;padding:.85rem 1.15rem .7rem}
.panel>header .side{margin-left:auto;font-size:.86rem;color:var(--soft)}
.pad{padding:.25rem 1.15rem 1.05rem}
.empty{padding:1.6rem 1.15rem 1.9rem;color:var(--soft)}
.empty strong{display:block;color:var(--ink);font-weight:600;margin-bottom:.15rem}
.choices{display:inline-flex;flex-wrap:wrap;gap:.2rem}
.choices a{padding:.05rem .5rem;border-radius:6px;color:var(--soft)}
.choices a[aria-current]{background:var(--raised);color:var(--ink);font-weight:550}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);background:var(--panel);border:1px solid var(--line);border-radius:12px;margin:0 0 1.25rem;overflow:clip}
.tiles>div{padding:1rem 1.15rem 1.1rem;border-left:1px solid var(--line)}
.tiles>div:first-child{border-left:0}
.tiles dt{color:var(--soft);font-size:.84rem}
.tiles dd.bad{color:var(--bad)}
.tiles dd{margin:.1rem 0 0;font-size:1.7rem;line-height:1.2;font-weight:600;letter-spacing:-.03em}
.tiles dd small{display:block;font-size:.8rem;font-weight:400;letter-spacing:0;color:var(--soft);margin-top:.2rem;line-height:1.4}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th{font-weight:500;font-size:.8rem;color:var(--soft);text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);white-space:nowrap}
td{padding:.38rem .6rem;border-bottom:1px solid var(--line);vertical-align:baseline}
th:first-child,td:first-child{padding-left:1.15rem}
th:last-child,td:last-child{padding-right:1.15rem}
tbody tr:last-child td,tbody tr:last-child th{border-bottom:0}
tbody th{font-size:1em;color:var(--ink);padding:.38rem .6rem .38rem 1.15rem;vertical-align:baseline;font-weight:550;white-space:normal}
tbody tr:hover{background:color-mix(in oklab,var(--raised) 55%,transparent)}
tr.now,tr.now:hover{background:var(--chosen)}
.right{text-align:right}
td.tight{white-space:nowrap}
.log{table-layout:fixed}
.log .c1{width:5.5rem}.log .c2{width:14.5rem}.log .c3{width:15rem}.log .c5{width:7rem}
.log td{white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.id{overflow-wrap:anywhere}
.log .id{overflow-wrap:normal}
.type{font-weight:570;color:var(--ink)}
.mark{display:inline-block;width:.55rem;height:.55rem;border-radius:2.5px;background:currentColor;margin-right:.5rem;flex:none}
.gist{color:var(--ink)}
.gist i{font-style:normal;margin-left:.55rem}
.gist i:first-child{margin-left:0}
.wrong{color:var(--bad);font-weight:550}
.health{display:inline-flex;align-items:baseline;gap:.45rem;font-weight:550;white-space:nowrap}
.health svg{width:.68rem;height:.68rem;flex:none;align-self:center}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
.chart{display:block;width:100%;height:8.5rem}
.chart .bars{fill:var(--bar)}
.chart line{stroke:var(--line)}
.chart.low{height:4.5rem}
.chart polyline{fill:none;stroke:var(--accent);stroke-width:2;vector-effect:non-scaling-stroke}
.axis{display:flex;justify-content:space-between;color:var(--soft);font-size:.78rem;padding:.25rem 0 0}
.json{margin:0;padding:.85rem 1rem;background:var(--page);border:1px solid var(--line);border-radius:8px;overflow:auto;max-height:32rem;font-size:12.5px;line-height:1.6;tab-size:2}
.json b{font-weight:500;color:var(--ink)}
.json .string,.lines .string{color:var(--string)}.json .number,.lines .number{color:var(--number)}.json .word,.lines .word{color:var(--word)}
.json em{color:var(--soft)}
.lines{margin:0;padding:.5rem 0;overflow:auto;max-height:40rem;font-size:12.5px;line-height:1.65;border-top:1px solid var(--line);background:var(--page)}
.lines>span{display:block;padding:0 1rem 0 2rem;position:relative;min-width:max-content}
.lines b{font-weight:500}
.lines .added,.lines .removed{color:var(--ink)}
.lines .added{background:var(--added)}.lines .removed{background:var(--removed)}
.lines>span>i{position:absolute;left:.85rem;font-style:normal;color:var(--soft)}
.lines .added>i{color:var(--good)}.lines .removed>i{color:var(--bad)}
.pair{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,27rem);gap:1.25rem;align-items:start}
.pair>aside{position:sticky;top:4.75rem}
.timeline{list-style:none;margin:0;padding:0 0 .4rem}
.timeline>li{position:relative;padding:0 1.15rem 0 4.1rem}
.timeline>li::before{content:"";position:absolute;left:2.1rem;top:0;bottom:0;width:1px;background:var(--line)}
.timeline>li:first-child::before{top:1.1rem}
.timeline>li:last-child::before{bottom:calc(100% - 1.1rem)}
.timeline .version{position:absolute;left:1rem;top:.6rem;min-width:2.3rem;padding:0 .3rem;text-align:center;border:1px solid var(--firm);border-radius:11px;
background:var(--panel);color:var(--soft);font-size:.78rem;line-height:1.3rem;font-variant-numeric:tabular-nums}
.timeline .version:hover{border-color:var(--accent);color:var(--accent);text-decoration:none}
.timeline .version[aria-current]{background:var(--accent);border-color:var(--accent);color:var(--panel);font-weight:650}
.timeline details{border-bottom:1px solid var(--line)}
.timeline>li:last-child details{border-bottom:0}
summary{cursor:pointer;list-style:none}
summary::-webkit-details-marker{display:none}
.timeline summary{display:flex;align-items:baseline;gap:.9rem;padding:.5rem 0;min-width:0}
.timeline summary .gist{flex:1;min-width:0;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.timeline summary .type{white-space:nowrap}
.timeline summary time{color:var(--soft);white-space:nowrap;font-size:.86rem}
.timeline details[open] summary .gist{visibility:hidden}
.open{padding:.1rem 0 1rem}
.facts dl,dl.facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.22rem 1.1rem;margin:.75rem 0 0;font-size:.9rem}
dl.facts dt{color:var(--soft)}
dl.facts dd{margin:0;color:var(--ink);overflow-wrap:anywhere}
.tag{display:inline-block;border:1px solid var(--line);background:var(--raised);border-radius:5px;padding:0 .4rem;margin:0 .25rem .15rem 0;font-size:.84rem;overflow-wrap:anywhere}
.note{border:1px solid var(--line);border-left:3px solid var(--soft);border-radius:8px;background:var(--panel);padding:.65rem 1rem;margin:0 0 1.25rem}
.note.caution{border-left-color:var(--warn);background:var(--caution)}
.note.fault{border-left-color:var(--bad);background:var(--removed)}
.note.done{border-left-color:var(--good);background:var(--added)}
.note pre{margin:.35rem 0 0;white-space:pre-wrap;overflow-wrap:anywhere}
.error{font-family:var(--mono);font-size:.86em;overflow-wrap:anywhere;white-space:pre-wrap}
.more{display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;padding:.7rem 1.15rem;border-top:1px solid var(--line);font-size:.88rem;color:var(--soft)}
.more .side{margin-left:auto}
.filters{display:flex;flex-wrap:wrap;gap:.5rem .6rem;align-items:end;margin-bottom:1.1rem}
.filters label{display:grid;gap:.15rem;font-size:.8rem;font-weight:500;color:var(--soft)}
.filters input,.filters select{color:var(--ink);font-size:14px;width:11rem}
.pills{display:flex;flex-wrap:wrap;gap:.35rem;margin:0 0 1.1rem}
.pills a{border:1px solid var(--line);background:var(--panel);border-radius:14px;padding:.08rem .7rem;color:var(--ink);font-size:.88rem}
.pills a:hover{border-color:var(--firm);text-decoration:none}
.pills a[aria-current]{background:var(--chosen);border-color:var(--accent)}
.pills .type{font-weight:500}
.actions{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center}
.actions form,.inline{display:inline-flex;gap:.5rem;margin:0}
.group{border-top:1px solid var(--line);padding:.9rem 1.15rem}
.group:first-of-type{border-top:0}
.group>header{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:start}
.group>header>div:first-child{flex:1;min-width:16rem}
.group table{margin-top:.5rem}
.group summary,.fold>summary{color:var(--soft);font-size:.88rem;margin-top:.4rem;width:max-content}
.group summary::before,.fold>summary::before{content:"▸";display:inline-block;width:1.1em}
[open]>summary::before{content:"▾"!important}
.group summary:hover,.fold>summary:hover{color:var(--ink)}
.timeline [open]>summary::before{content:none!important}
.form{max-width:none}
.more input[type=number]{width:4.4rem}
.axisdot{width:11rem;height:1.1rem;display:block;margin:.1rem 0}
tr:has(.axisdot) td{vertical-align:middle}
.axisdot line{stroke:var(--line)}.axisdot circle{fill:currentColor}
.tree{white-space:nowrap}
progress{width:100%;height:.45rem;accent-color:var(--accent)}
footer.foot{max-width:1240px;margin:auto;padding:0 1.5rem 2rem;color:var(--soft);font-size:.82rem;display:flex;flex-wrap:wrap;gap:.3rem 1.4rem}
footer.foot .side{margin-left:auto}
dialog{border:1px solid var(--line);border-radius:12px;background:var(--panel);color:inherit;padding:1.2rem 1.4rem;max-width:26rem}
dialog::backdrop{background:rgb(0 0 0/.35)}
dialog dl{display:grid;grid-template-columns:max-content 1fr;gap:.4rem 1.2rem;margin:.8rem 0 1rem}
dialog dd{margin:0}
.live{display:inline-flex;align-items:center;gap:.4rem}
.live svg{width:.5rem;height:.5rem;color:var(--good)}
[hidden]{display:none!important}
@keyframes come{from{background:var(--chosen)}}
tr.fresh{animation:come 2.5s ease-out}
${hues}${depths}
@media (max-width:900px){.pair{grid-template-columns:minmax(0,1fr)}.pair>aside{position:static}.log .c3{width:13rem}.log .c2{width:12rem}}
@media (max-width:700px){
.top>div{flex-wrap:wrap;gap:.2rem 1rem;padding:.45rem 1rem 0}
nav.tabs{order:3;width:100%;min-height:2.75rem}
.find{flex:1}.tenants+.find{flex:1 0 100%}.find kbd{display:none}
main{padding:1.2rem 1rem 3rem}
.tiles{grid-template-columns:1fr 1fr}.tiles>div:nth-child(odd){border-left:0}.tiles>div:nth-child(n+3){border-top:1px solid var(--line)}
.tiles dd{font-size:1.4rem}
.wide{display:none}
.log th:first-child,.log td:first-child{display:none}
.log .c2{width:auto}.log .c3{width:36%}.log .c5{width:6.4rem}
.log td:nth-child(2),.log th:nth-child(2){padding-left:1rem}
nav.tabs a{padding:0 .5rem}
.timeline summary{flex-wrap:wrap;gap:.1rem .8rem}.timeline summary .gist{order:3;flex-basis:100%}
.timeline details[open] summary .gist{display:none}
th,td{padding-left:.4rem;padding-right:.4rem}
dl.facts{grid-template-columns:minmax(0,1fr)}dl.facts dd{margin-bottom:.35rem}
button,.button,.find input,.filters input,.filters select{min-height:2.75rem}
.timeline .version{min-height:1.75rem;line-height:1.65rem}
}
@media (prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important}}`;
