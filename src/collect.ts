/** items.flatMap(each). The engine's own is compiled when it is first used, which takes a start 0.1 ms: on the way of every start this one is called. */
export function collect<Item, Found>(items: Iterable<Item>, each: (item: Item) => readonly Found[]): Found[] {
  const found: Found[] = [];
  for (const item of items) for (const one of each(item)) found.push(one);
  return found;
}
