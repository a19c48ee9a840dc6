import { type ReactNode, useEffect, useRef, useState } from 'react';

/** What is wider than its place scrolls in it, also by keys: only then it is a stop of the tab key (WCAG 2.1.1). */
export function ScrollRegion({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  const region = useRef<HTMLElement>(null);
  const [isWider, setIsWider] = useState(false);
  useEffect(() => {
    const element = region.current;
    if (!element) return undefined;
    // It calls once at the beginning, too.
    const observer = new ResizeObserver(() => setIsWider(element.scrollWidth > element.clientWidth));
    for (const each of [element, ...element.children]) observer.observe(each);
    return () => observer.disconnect();
  }, []);
  return (
    <section ref={region} className="table-scroll" {...(isWider ? { tabIndex: 0, 'aria-label': label } : {})}>
      {children}
    </section>
  );
}
