// Drawn for this page on a grid of 24, with strokes of the current colour.
const PATHS = {
  photos: "M4 5h16v14H4zM4 15l4-4 5 5 3-3 4 4M15.5 9.5h.01",
  jobs: "M4 6h16M4 12h16M4 18h10",
  plus: "M12 5v14M5 12h14",
  upload: "M12 16V5M7 9l5-5 5 5M4 19h16",
  camera: "M4 8h3l2-3h6l2 3h3v11H4zM12 16.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13M15.5 15.5 20 20",
  filter: "M4 6h16M7 12h10M10 18h4",
  close: "M6 6l12 12M18 6 6 18",
  check: "M5 12.5 10 17.5 19 7",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  down: "M5 9l7 7 7-7",
  info: "M12 11v6M12 7.5h.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  download: "M12 4v11M7 11l5 5 5-5M4 20h16",
  retry: "M19 12a7 7 0 1 1-2-5M19 3v4h-4",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  clock: "M12 7v5l3 2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18",
  stop: "M7 7h10v10H7z",
  warning: "M12 4 3 20h18zM12 10v4M12 17h.01",
  keep: "M7 4h10v16l-5-4-5 4z",
  zoom: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13M15.5 15.5 20 20M10.5 7.5v6M7.5 10.5h6",
  place: "M12 21s7-6 7-12a7 7 0 0 0-14 0c0 6 7 12 7 12M12 11.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4 21c1-5 4-7 8-7s7 2 8 7",
  alike: "M4 4h11v11H4zM9 15v5h11V9h-5",
  compare: "M12 3v18M4 6h5v12H4zM15 6h5v12h-5z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width={name === "more" ? 3 : 1.75}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
