import { faultsAt, optionInWords, type ParameterField } from "../../submission/parameter-field.js";
import { useWorkspace } from "../../workspace.js";

/** The control of one parameter, with the faults that the service reported for it. */
export function ParameterInput({ field }: { field: ParameterField }) {
  const { submission } = useWorkspace();
  const faults = faultsAt(submission.issues.value, ["parameters", field.name]);
  const [id, hint] = [`parameter-${field.name}`, `parameter-${field.name}-hint`];
  const described = {
    id,
    "aria-describedby": hint,
    ...(faults.length > 0 && { "aria-invalid": true as const }),
    ...(field.required && { "aria-required": true as const }),
  };
  const control = <Control field={field} attributes={described} />;
  return (
    <div class={field.kind === "flag" ? "field is-flag" : "field"}>
      {field.kind === "flag" ? (
        <label for={id}>
          {control} {field.label}
        </label>
      ) : (
        <>
          <label for={id}>
            {field.label}
            {field.required && <span class="faint"> (required)</span>}
          </label>
          {control}
        </>
      )}
      <small id={hint}>
        <Faults faults={faults} />
        {field.description}
        {field.kind === "list" && " Separate with commas."}
      </small>
    </div>
  );
}

export function Faults({ faults }: { faults: readonly string[] }) {
  return (
    <>
      {faults.map((fault) => (
        <strong key={fault} role="alert" class="fault">
          {fault}
        </strong>
      ))}
    </>
  );
}

interface ControlProps {
  field: ParameterField;
  attributes: {
    id: string;
    "aria-describedby": string;
    "aria-invalid"?: true;
    "aria-required"?: true;
  };
}

function Control({ field, attributes }: ControlProps) {
  const { kind, name, fallback, schema } = field;
  const { submission } = useWorkspace();
  const text = submission.texts.value[name] ?? "";
  const type = (event: { currentTarget: { value: string } }): void =>
    submission.type(name, event.currentTarget.value);
  if (kind === "flag")
    return (
      <input
        type="checkbox"
        role="switch"
        {...attributes}
        checked={(text || fallback) === "true"}
        onChange={(event) => submission.type(name, String(event.currentTarget.checked))}
      />
    );
  if (kind === "choice") return <Choice field={field} attributes={attributes} />;
  if (kind === "json")
    return (
      <textarea
        {...attributes}
        rows={2}
        spellcheck={false}
        placeholder={fallback || 'JSON, e.g. "hello"'}
        value={text}
        onInput={type}
      />
    );
  // Not type="number": such a control reports an empty value for text that is not a number.
  if (kind === "number")
    return (
      <input
        type="text"
        inputMode={schema.type === "integer" ? "numeric" : "decimal"}
        {...attributes}
        autocomplete="off"
        placeholder={fallback}
        value={text}
        onInput={type}
      />
    );
  return (
    <input
      type="text"
      {...attributes}
      autocomplete="off"
      placeholder={fallback}
      value={text}
      onInput={type}
    />
  );
}

function Choice({ field: { name, options, fallback, required }, attributes }: ControlProps) {
  const { submission } = useWorkspace();
  const defaultLabel = fallback ? `${optionInWords(fallback)} (default)` : "Default";
  return (
    <select
      {...attributes}
      value={submission.texts.value[name] ?? ""}
      onChange={(event) => submission.type(name, event.currentTarget.value)}
    >
      <option value="">{required ? "Select…" : defaultLabel}</option>
      {options
        .filter((option) => option !== fallback)
        .map((option) => (
          <option key={option} value={option}>
            {optionInWords(option)}
          </option>
        ))}
    </select>
  );
}
