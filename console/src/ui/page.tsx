import { type ReactNode, useEffect, useRef } from 'react';

/** One page: its title is the document's, and gets the focus so that a screen reader says where one is. */
export function Page({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Strongroom`;
    heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <>
      <div className="page-head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions !== undefined && <div className="actions">{actions}</div>}
      </div>
      {children}
    </>
  );
}

interface SectionProps {
  readonly title: ReactNode;
  /** The title is what the page is about, such as an amount. */
  readonly isFigure?: boolean;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

export function Section({ title, isFigure = false, actions, children }: SectionProps) {
  return (
    <section className="card">
      <div className="section-head">
        <h2 className={isFigure ? 'figure' : undefined}>{title}</h2>
        {actions !== undefined && <div className="actions">{actions}</div>}
      </div>
      {children}
    </section>
  );
}
