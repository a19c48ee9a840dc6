import { Choice } from '../ui/field.tsx';
import { browserZone } from './zone.ts';

const zones = Intl.supportedValuesOf('timeZone');

interface ZoneChoiceProps {
  readonly name: string;
  readonly label: string;
  /** None: the browser's stands first, and sends nothing. */
  readonly chosen: string | undefined;
}

export function ZoneChoice({ name, label, chosen }: ZoneChoiceProps) {
  return (
    <Choice name={name} label={label} defaultValue={chosen ?? ''}>
      {chosen === undefined && <option value="">Automatic: {browserZone}</option>}
      {[...new Set([chosen ?? 'UTC', 'UTC', ...zones])].map((zone) => (
        <option key={zone}>{zone}</option>
      ))}
    </Choice>
  );
}
