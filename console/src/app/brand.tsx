import iconUrl from './icon.svg';

export function Brand() {
  return (
    <span className="brand">
      <img src={iconUrl} alt="" width="28" height="28" />
      Strongroom
    </span>
  );
}
