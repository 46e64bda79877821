import { useApp } from '../shell/app-context.ts';

interface PaddockSelectProps {
  readonly label: string;
  /** Id of the paddock; empty: none is chosen. */
  readonly value: string;
  readonly onValue: (id: string) => void;
  readonly class?: string;
  readonly required?: boolean;
  readonly disabled?: boolean;
}

/** One of the farm's paddocks, by name. */
export function PaddockSelect({ label, value, onValue, class: place = '', ...rest }: PaddockSelectProps) {
  const { store } = useApp();
  const paddocks = [...store.paddocks.value.values()].sort((a, b) => a.name.localeCompare(b.name));
  return (
    <label class={`field ${place}`}>
      {label}
      <select {...rest} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
        <option value="">Choose the paddock</option>
        {paddocks.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
