/**
 * Imported before @xterm/addon-unicode-graphemes 0.4.0, which reads its table from the start of the memory that a Buffer is
 * in: under Node that is a pool shared with others, and loading fails or not by chance.
 */
Buffer.poolSize = 0;
