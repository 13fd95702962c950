/** Compresses pieces one after the other: the results joined are one raw DEFLATE stream (RFC 1951) that is not ended yet. */
export type Deflate = (piece: Uint8Array) => Uint8Array;
