import { useTimeZone } from '../time/time-zone.tsx';
import { ZoneChoice } from '../time/zone-choice.tsx';
import { Choice, Field } from '../ui/field.tsx';
import { recurrences } from './recurrence.ts';

export function ScheduleFields({ isRecurring }: { isRecurring: boolean }) {
  const zone = useTimeZone();
  return (
    <div className="columns">
      <Field
        name="scheduled_at"
        label={isRecurring ? 'First time' : 'Due'}
        type="datetime-local"
        hint={`By the clocks of ${zone}.`}
        required
      />
      {isRecurring && (
        <>
          <Choice name="recurrence" label="Repeats">
            {recurrences.map(([rule, words]) => (
              <option key={rule} value={rule}>
                {words}
              </option>
            ))}
          </Choice>
          <ZoneChoice name="time_zone" label="Time zone of the rule" chosen={zone} />
        </>
      )}
    </div>
  );
}
