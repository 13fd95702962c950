const MINUTE_MS = 60_000;
/** Of a time that is none, in a record that somebody wrote by hand. */
const UNKNOWN = '-';

/** `date` as 2026-02-19 and `time` as 09:14:03, at that offset from UTC. */
export function localDateTime(epochMs: number, utcOffsetMinutes: number): { readonly date: string; readonly time: string } {
  const text = new Date(epochMs + utcOffsetMinutes * MINUTE_MS).toISOString();
  return { date: text.slice(0, 10), time: text.slice(11, 19) };
}

/** RFC 3339 with milliseconds and offset: 2026-02-19T09:14:03.120+01:00. */
export function formatTimestamp(epochMs: number, utcOffsetMinutes: number): string {
  const local = new Date(epochMs + utcOffsetMinutes * MINUTE_MS).toISOString().slice(0, -1);
  const sign = utcOffsetMinutes < 0 ? '-' : '+';
  const [hours, minutes] = [Math.floor(Math.abs(utcOffsetMinutes) / 60), Math.abs(utcOffsetMinutes) % 60];
  return `${local}${sign}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
}

/** "just now", "7m ago", "3h ago", "2d ago". */
export function formatAge(ageMs: number): string {
  if (Number.isNaN(ageMs)) return UNKNOWN;
  const seconds = Math.floor(ageMs / 1000);
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h ago`;
  return `${Math.floor(seconds / 86_400)}d ago`;
}

/** "5s", "7m", "3h 20m", "2d 4h". */
export function formatDuration(durationMs: number): string {
  if (Number.isNaN(durationMs)) return UNKNOWN;
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
}
