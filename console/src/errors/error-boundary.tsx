import { Component, type ReactNode } from 'react';

interface Props {
  readonly children: ReactNode;
}

/** What is left when a page itself fails: the rest of the console goes on. */
export class ErrorBoundary extends Component<Props, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <div className="notice notice-error" role="alert">
        <p className="notice-message">This page failed.</p>
        <p>Reload it; if that does not help, tell whoever runs this system.</p>
      </div>
    );
  }
}
