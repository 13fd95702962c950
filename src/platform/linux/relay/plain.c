/* What may pass without anybody having looked at it. */

/* Of `special`: an escape is, and keys of the cursor are not. */
enum { ESCAPE_OF_KEYS = 2 };

/* Sequences that move the cursor, erase, scroll and colour: nothing that outlives the screen, and nothing that is answered. */
static int is_harmless(u8 final, int sets_something, struct relay *r) {
  if (final == 'm') return r->has_pen || !sets_something;
  return final == '@' || (final >= 'A' && final <= 'M') || final == 'P' || final == 'S' || final == 'T' || final == 'X' || final == 'Z' ||
    final == '`' || final == 'a' || final == 'b' || final == 'd' || final == 'e' || final == 'f';
}

/*
 * Private modes that programs set all the time: keys of the cursor, the cursor itself, its blinking (only off), marks around what is pasted, synchronized
 * updates.
 */
static int is_usual(long mode, u8 final) {
  if (final == 'l' && mode == 12) return 1;
  return (final == 'h' || final == 'l') && (mode == 1 || mode == 25 || mode == 2004 || mode == 2026);
}

/* Of a control of C1 in UTF-8, which terminals take for an escape (ECMA-48, 5.3); also of letters. */
enum { C1 = 0xc2 };

static int has_no(u64 repeated, u64 word) {
  u64 other = word ^ repeated;
  return ((other - 0x0101010101010101UL) & ~other & 0x8080808080808080UL) == 0;
}

/* Takes a console to another set of characters by itself (client-terminal.ts). */
enum { SHIFT_OUT = 0x0e };

/* Among eight bytes no escape, and nothing that may be one or shifts. */
static int is_text(u64 word) {
  if (!has_no(0x1b1b1b1b1b1b1b1bUL, word) || !has_no(0x0e0e0e0e0e0e0e0eUL, word)) return 0;
  return (word & 0x8080808080808080UL) == 0 || has_no(0xc2c2c2c2c2c2c2c2UL, word);
}

/*
 * How much of the bytes a terminal may be shown without anybody having read them: all but a sequence at the end that is not complete.
 *
 * @returns -1 when there is anything in them that somebody has to read.
 */
static long harmless_length(struct relay *r, u8 *bytes, long length) {
  long at = 0;
  for (;;) {
    while (at + 8 <= length && is_text(*(u64 *)(bytes + at))) at += 8;
    while (at < length && bytes[at] != ESCAPE && bytes[at] != C1 && bytes[at] != SHIFT_OUT) at++;
    if (at >= length) return length;
    if (bytes[at] == SHIFT_OUT) return -1;
    long begin = at++;
    if (at >= length) return begin;
    if (bytes[begin] == C1) {
      if (bytes[at] >= 0x80 && bytes[at] < 0xa0) return -1;
      continue;
    }
    u8 second = bytes[at++];
    if (second == '7' || second == '8' || second == 'D' || second == 'E' || second == 'M') continue;
    if ((second == '=' || second == '>') && r->has_pen) continue;
    if (second == '(') {
      if (at >= length) return begin;
      if (bytes[at++] != 'B') return -1;
      continue;
    }
    if (second != CSI) return -1;
    int is_private = at < length && bytes[at] == '?';
    if (is_private && !r->has_pen) return -1;
    at += is_private;
    int sets_something = 0;
    long number = 0;
    u8 byte = 0;
    for (; at < length; at++) {
      byte = bytes[at];
      if (byte < '0' || byte > ';') break;
      if (is_private && (byte > '9' || number > 9999)) return -1;
      number = number * 10 + byte - '0';
      if (byte >= '1' && byte <= '9') sets_something = 1;
    }
    if (at >= length) return length - begin <= HELD_BYTES ? begin : -1;
    if (is_private ? !is_usual(number, byte) : !is_harmless(byte, sets_something, r)) return -1;
    at++;
  }
}

/* Keys of the cursor, in either of their forms: no terminal answers like that. An escape by itself may be the beginning of anything. */
static int is_cursor_key(u8 *bytes, long length) {
  return length >= 3 && bytes[0] == ESCAPE && (bytes[1] == CSI || bytes[1] == 'O') &&
    ((bytes[2] >= 'A' && bytes[2] <= 'D') || bytes[2] == 'H' || bytes[2] == 'F');
}

static int is_plain(struct relay *r, u8 *bytes, long length) {
  for (long at = 0; at < length; at++) {
    if (!r->special[bytes[at]]) continue;
    if (r->special[ESCAPE] != ESCAPE_OF_KEYS || !is_cursor_key(bytes + at, length - at)) return 0;
    at += 2;
  }
  return 1;
}

