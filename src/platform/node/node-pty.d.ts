/** What node-pty 1.1 exports and its own types do not tell. Declared here, so that types hold where the optional package is not there. */
declare module 'node-pty' {
  export const native: {
    /** openpty(3) */
    readonly open: (columns: number, rows: number) => { readonly master: number; readonly slave: number };
    readonly resize: (descriptor: number, columns: number, rows: number) => void;
  };
}
