import { type ComponentType, useEffect, useReducer, useState } from 'react';
import { Loading } from './loading.tsx';

/** Code that is fetched when it is first shown, and kept. */
export interface Loadable {
  readonly load: () => Promise<ComponentType>;
  component?: ComponentType;
}

/**
 * Shows what is loaded for it. By an effect and not by `lazy`: React keeps the fallback of a Suspense for 300 ms at least,
 * by which every page would be late.
 */
export function Loaded({ from }: { from: Loadable }) {
  const [failure, setFailure] = useState<{ from: Loadable; error: unknown }>();
  const [, showAgain] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (from.component !== undefined) return;
    let isShown = true;
    from.load().then(
      (component) => {
        from.component = component;
        if (isShown) showAgain();
      },
      (error: unknown) => isShown && setFailure({ from, error }),
    );
    return () => {
      isShown = false;
    };
  }, [from]);
  // To the boundary around it, as any other failure of what is shown.
  if (failure?.from === from) throw failure.error;
  const { component: Component } = from;
  return Component === undefined ? <Loading what="the page" /> : <Component />;
}
