"""How the page looks.  Colours are pairs for light and dark; every state has a sign and a word beside its colour."""

STYLE = """
:root{color-scheme:light dark;
--ground:#fff;--card:#f6f7f9;--ink:#1c2024;--soft:#5b6470;--line:#d5dae1;--link:#0b57d0;--code:#eceff3;
--ok:#0b6b35;--ok-ground:#dcf3e4;--problem:#b3211b;--problem-ground:#fbe0de;--warning:#7d4c00;--warning-ground:#fdecc8;
--unknown:#4a4f87;--unknown-ground:#e4e5f6;--note:#0a5c78;--note-ground:#daeff6;--none:#5b6470;--none-ground:#eceff3}
@media (prefers-color-scheme:dark){:root{
--ground:#14171a;--card:#1d2126;--ink:#e7eaee;--soft:#a3adb8;--line:#39414b;--link:#8ab4f8;--code:#2a3038;
--ok:#7fd8a2;--ok-ground:#12341f;--problem:#ff9d96;--problem-ground:#47191a;--warning:#f4c370;--warning-ground:#3d2d0c;
--unknown:#b9bdf5;--unknown-ground:#292b4c;--note:#86cfe9;--note-ground:#0f3341;--none:#a3adb8;--none-ground:#2a3038}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:1rem;max-width:62rem;background:var(--ground);color:var(--ink);
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere}
h1{font-size:1.35rem;line-height:1.3;margin:.2rem 0 .6rem}
h2{font-size:1.15rem;margin:2rem 0 .7rem;border-bottom:1px solid var(--line);padding-bottom:.25rem}
h3{font-size:1rem;margin:.1rem 0 .5rem}
p{margin:.4rem 0}
a{color:var(--link)}
code,pre,kbd{font:.875rem/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
code{background:var(--code);border-radius:.25rem;padding:.05rem .3rem}
pre{background:var(--code);border-radius:.4rem;padding:.6rem .8rem;margin:.2rem 0;white-space:pre-wrap}
pre code{background:none;padding:0}
ol.steps{margin:.3rem 0;padding-left:1.5rem}
ol.steps li{margin:.3rem 0}
.judged,.soft{color:var(--soft);font-size:.9rem}
.verdict,.sign{display:inline-block;border-radius:.35rem;padding:.05rem .5rem;font-weight:700}
.verdict{font-size:1.1em}
.sign{font-size:.8rem;min-width:5.6rem;text-align:center;white-space:nowrap}
.fit,.ok{color:var(--ok);background:var(--ok-ground)}
.unfit,.problem,.error{color:var(--problem);background:var(--problem-ground)}
.warning{color:var(--warning);background:var(--warning-ground)}
.note{color:var(--note);background:var(--note-ground)}
.undetermined,.cannot_tell,.unknown{color:var(--unknown);background:var(--unknown-ground)}
.not_reached,.none{color:var(--none);background:var(--none-ground)}
ol.ladder{list-style:none;margin:0;padding:0}
ol.ladder li{display:grid;grid-template-columns:6.4rem 8.5rem 1fr;gap:.2rem .8rem;align-items:baseline;
padding:.3rem 0;border-bottom:1px solid var(--line)}
ol.ladder .rung{font-weight:600}
article{background:var(--card);border:1px solid var(--line);border-left:.3rem solid var(--line);border-radius:.5rem;
padding:.8rem 1rem;margin:.8rem 0;break-inside:avoid}
article.error{border-left-color:var(--problem);color:inherit;background:var(--card)}
article.warning{border-left-color:var(--warning);color:inherit;background:var(--card)}
article.note{border-left-color:var(--note);color:inherit;background:var(--card)}
article .summary{font-weight:600}
dl.facts{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:.4rem 0}
dl.facts dt{color:var(--soft)}
dl.facts dd{margin:0}
.label{color:var(--soft);font-size:.85rem;font-weight:600;margin:.7rem 0 .1rem}
ul{margin:.3rem 0;padding-left:1.3rem}
.evidence li{margin:.15rem 0}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(19rem,100%),1fr));gap:.8rem}
.cards article{margin:0}
.bar{height:.5rem;border-radius:.25rem;background:var(--none-ground);overflow:hidden;margin:.1rem 0 .3rem}
.bar span{display:block;height:100%;background:var(--note)}
.wide{overflow-x:auto;border:1px solid var(--line);border-radius:.5rem}
.wide table{border-collapse:collapse;font-size:.85rem;width:100%}
.wide th,.wide td{padding:.25rem .5rem;border:1px solid var(--line);text-align:center;white-space:nowrap}
.wide thead th,.wide tbody th{background:var(--card)}
.wide tbody th{position:sticky;left:0}
td.have,span.have{outline:.15rem solid var(--ink);outline-offset:-.15rem}
.legend{display:flex;flex-wrap:wrap;gap:.4rem 1rem;list-style:none;padding:0;font-size:.85rem}
.legend li{display:flex;gap:.4rem;align-items:baseline}
.legend b{padding:.05rem .4rem;border-radius:.25rem;font-weight:400}
figure{margin:0}
svg{display:block;width:100%;max-width:40rem;height:auto;margin:.5rem 0}
.roofline text{font-size:17px;fill:var(--soft)}
.roofline .grid{stroke:var(--line)}
.roofline .roof{stroke:var(--ink);stroke-width:3}
.roofline .dot{fill:var(--note)}
.roofline .number{fill:var(--note);font-weight:700}
footer{margin-top:2.5rem;color:var(--soft);font-size:.85rem}
@media (max-width:40rem){
ol.ladder li{grid-template-columns:6.4rem 1fr}
ol.ladder .words{grid-column:2}
}
@media print{
:root{--ground:#fff;--card:#fff;--ink:#000;--soft:#333;--line:#999;--code:#fff}
body{max-width:none;padding:0;font-size:10pt}
pre{border:1px solid var(--line)}
.wide{overflow:visible}
.wide table{font-size:7pt}
.wide th,.wide td{white-space:normal;padding:.1rem .2rem}
h2{break-after:avoid}
a{color:inherit}
}
"""
