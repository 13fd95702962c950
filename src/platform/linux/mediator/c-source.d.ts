declare module '*.c' {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: an import of text has nothing else
  export default text;
}
