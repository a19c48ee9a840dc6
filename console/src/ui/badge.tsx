export type Tone = 'good' | 'bad' | 'busy' | 'plain';

export function Badge({ tone, children }: { tone: Tone; children: string }) {
  return <span className={`badge badge-${tone}`}>{children}</span>;
}
