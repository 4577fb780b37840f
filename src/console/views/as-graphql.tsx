import { useSignal } from "@preact/signals";

/** An operation as the page sends it, with a button to copy it. */
export function AsGraphql({
  label,
  query,
  variables,
  isOpen = false,
}: {
  label: string;
  query: string;
  variables: object;
  isOpen?: boolean;
}) {
  const text = `${query}\n\n# variables\n${JSON.stringify(variables, null, 2)}`;
  return (
    <details class="as-graphql" open={isOpen}>
      <summary>{label}</summary>
      <CopyButton text={text} what="operation" />
      <pre tabIndex={0} aria-label="GraphQL operation and variables">
        <code>
          {query}
          {"\n\n"}
          <span class="faint"># variables</span>
          {"\n"}
          {JSON.stringify(variables, null, 2)}
        </code>
      </pre>
    </details>
  );
}

export function CopyButton({ text, what }: { text: string; what: string }) {
  const isCopied = useSignal(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    isCopied.value = true;
    setTimeout(() => {
      isCopied.value = false;
    }, 1500);
  };
  return (
    <button
      type="button"
      class="small copy"
      aria-label={`Copy the ${what}`}
      onClick={() => void copy().catch(() => {})}
    >
      {isCopied.value ? "Copied" : "Copy"}
    </button>
  );
}
