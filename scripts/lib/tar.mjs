const BLOCK_BYTES = 512;
const NAME_BYTES = 100;

/**
 * A ustar archive as bytes: the same for the same entries, whoever makes it and whenever.
 *
 * @param entries `name` (at most 100 bytes of ASCII, with `/` at the end for a directory), `mode`, and `data` for a file; in their order
 * @param seconds the modification time of all of them
 */
export function makeTar(entries, seconds) {
  const blocks = entries.flatMap(({ name, mode, data = Buffer.alloc(0) }) => {
    const padding = Buffer.alloc((BLOCK_BYTES - (data.length % BLOCK_BYTES)) % BLOCK_BYTES);
    return [header({ name, mode, sizeBytes: data.length, seconds }), data, padding];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)]);
}

function header({ name, mode, sizeBytes, seconds }) {
  if (Buffer.byteLength(name) > NAME_BYTES) throw new RangeError(`Cannot put "${name}" into an archive: its name is too long`);
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value, length) => `${value.toString(8).padStart(length - 1, '0')}\0`;
  block.write(name, 0);
  block.write(octal(mode, 8), 100);
  // Owner and group are root: whoever unpacks as an ordinary user owns it anyway.
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(sizeBytes, 12), 124);
  block.write(octal(seconds, 12), 136);
  block.write('        ', 148);
  block.write(name.endsWith('/') ? '5' : '0', 156);
  block.write('ustar\0', 257);
  block.write('00', 263);
  block.write('root', 265);
  block.write('root', 297);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
