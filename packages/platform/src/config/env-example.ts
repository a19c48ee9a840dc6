import type { ConfigSchema } from './load.ts';

export interface EnvSection {
  readonly title: string;
  readonly schema: ConfigSchema;
}

/** .env.example of the given schemas; a variable that several share stands once, under the first. */
export function printEnvExample(sections: readonly EnvSection[]): string {
  const printed = new Set<string>();
  const parts: string[] = [];
  for (const { title, schema } of sections) {
    const lines: string[] = [];
    for (const [name, kind] of Object.entries(schema)) {
      if (printed.has(name)) continue;
      printed.add(name);
      lines.push(`# ${kind.doc} (${kind.rule})`);
      const isGiven = kind.defaultText === undefined && !kind.optional;
      lines.push(isGiven ? `${name}=` : `# ${name}=${kind.defaultText ?? ''}`);
    }
    if (lines.length > 0) parts.push(`# ${title}\n#\n${lines.join('\n')}\n`);
  }
  return parts.join('\n');
}
