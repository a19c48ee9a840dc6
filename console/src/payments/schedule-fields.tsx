import { Choice, Field } from '../ui/field.tsx';

const rules = [
  ['FREQ=DAILY', 'Every day'],
  ['FREQ=WEEKLY', 'Every week'],
  ['FREQ=MONTHLY', 'Every month'],
  ['FREQ=YEARLY', 'Every year'],
] as const;

export function ScheduleFields({ isRecurring }: { isRecurring: boolean }) {
  return (
    <div className="columns">
      <Field name="scheduled_at" label={isRecurring ? 'First time' : 'Due'} type="datetime-local" required />
      {isRecurring && (
        <>
          <Choice name="recurrence" label="Again">
            {rules.map(([rule, words]) => (
              <option key={rule} value={rule}>
                {words}
              </option>
            ))}
          </Choice>
          <Field
            name="time_zone"
            label="Time zone of the rule"
            defaultValue={Intl.DateTimeFormat().resolvedOptions().timeZone}
            required
          />
        </>
      )}
    </div>
  );
}
