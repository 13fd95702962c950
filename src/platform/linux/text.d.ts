/** A file of another language, imported as text. */
declare module '*.c' {
  const text: string;
  export default text;
}
