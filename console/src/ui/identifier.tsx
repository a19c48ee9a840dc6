const shownCharacters = 8;

/** The end of an id, which tells neighbours apart (UUIDv7 begins with the time); whole on hover. */
export function Identifier({ id, isWhole = false }: { id: string; isWhole?: boolean }) {
  if (id === '') return '—';
  if (isWhole || id.length <= shownCharacters) return <code>{id}</code>;
  return <code title={id}>…{id.slice(-shownCharacters)}</code>;
}
