import { useEffect, useState } from 'react';
import { useLocation } from 'wouter';

/** On a narrow screen the navigation is folded away until it is asked for. */
export function MenuButton() {
  const [isOpen, setOpen] = useState(false);
  const [location] = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever has gone somewhere needs the menu no more.
  useEffect(() => setOpen(false), [location]);
  useEffect(() => {
    document.documentElement.dataset['menu'] = isOpen ? 'open' : 'closed';
  }, [isOpen]);
  return (
    <button type="button" className="menu-button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
      Menu
    </button>
  );
}
