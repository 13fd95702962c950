/** The style of the exported page; its hash is in the page's content-security policy, which permits nothing else. */
export const HTML_STYLE = `
:root { color-scheme: light dark; --ground: #fff; --text: #1c2024; --faint: #60666d; --line: #d8dce1; --panel: #f5f6f8;
  --added: #d9f2df; --added-word: #94dba6; --removed: #fbe0e0; --removed-word: #f2a9a9; --warning: #8a4b00; --link: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --text: #e4e7ea; --faint: #9aa1a9; --line: #343a41; --panel: #1d2125;
  --added: #173a22; --added-word: #2a6b3d; --removed: #47201f; --removed-word: #7d3431; --warning: #f0b45c; --link: #7ab8f5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 110rem; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
a { color: var(--link); }
code, pre, table, summary b, .tree { font-family: ui-monospace, monospace; font-size: 13px; }
pre { background: var(--panel); padding: .5rem .75rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; margin: .25rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
ul, ol { padding-left: 1.25rem; margin: .25rem 0; } .tree ul { list-style: none; } li { overflow-wrap: anywhere; }
.faint { color: var(--faint); } .warning { color: var(--warning); }
.plus { color: #2b8a3e; } .minus { color: #d13c3c; }
details.file { border: 1px solid var(--line); border-radius: 6px; margin: .75rem 0; overflow: hidden; }
details.file > summary { background: var(--panel); padding: .4rem .75rem; cursor: pointer; overflow-wrap: anywhere; }
details.file > p { margin: .5rem .75rem; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
td { vertical-align: top; padding: 0 .4rem; white-space: pre-wrap; overflow-wrap: anywhere; }
col.n { width: 4.4em; } td.n { text-align: right; color: var(--faint); user-select: none; }
tr.hunk td { background: var(--panel); color: var(--faint); }
td.r { background: var(--removed); } td.a { background: var(--added); }
td.r mark { background: var(--removed-word); color: inherit; } td.a mark { background: var(--added-word); color: inherit; }
@media (max-width: 50rem) {
  body { padding: .75rem; }
  table, tbody { display: block; } colgroup { display: none; } tr { display: grid; grid-template-columns: 3.4em 1fr; } tr.hunk, tr.hunk td { display: block; }
  tr.same td:nth-child(n+3), td.none { display: none; }
  dl { grid-template-columns: 1fr; }
}
`;
