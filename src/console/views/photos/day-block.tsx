import { memo } from "./memo.js";
import { dayName } from "../../grid/day-names.js";
import type { Block, Measures } from "../../grid/layout.js";
import { isChosen } from "../../grid/selection.js";
import { number } from "../../in-words.js";
import { photoAt } from "../../library/shelf.js";
import { useWorkspace } from "../../workspace.js";
import { Icon } from "../frame/icons.js";
import { PhotoTile } from "./photo-tile.js";

interface DayBlockProps {
  block: Block;
  tile: number;
  measures: Measures;
  /** Rows that are drawn; `end` is exclusive. */
  rows: { start: number; end: number };
  /** Position of the tile that the Tab key reaches; -1 if it is in another day. */
  current: number;
}

/** One day: its title, and the tiles of its visible rows. */
export const DayBlock = memo(({ block, tile, measures, rows, current }: DayBlockProps) => {
  const { library } = useWorkspace();
  const loaded = library.loaded(block.key).value;
  const { gap, title } = measures;
  const first = rows.start * block.columns;
  const end = Math.min(block.count, rows.end * block.columns);
  const positions = Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
  return (
    <section
      class="day"
      style={{ transform: `translate(${block.left}px, ${block.top}px)`, width: `${block.width}px` }}
      aria-label={dayName(block.key)}
    >
      <DayTitle block={block} height={title} />
      <ul>
        {positions.map((position) => {
          const photo = photoAt(loaded, block.count, position);
          const [row, column] = [Math.floor(position / block.columns), position % block.columns];
          return (
            <PhotoTile
              key={photo?.id ?? position}
              photo={photo}
              place={{ index: block.index, position }}
              isCurrent={position === current}
              left={column * (tile + gap)}
              top={title + row * (tile + gap)}
              size={tile}
            />
          );
        })}
      </ul>
    </section>
  );
});

function DayTitle({ block, height }: { block: Block; height: number }) {
  const { library, photos } = useWorkspace();
  const { chosen } = photos;
  const known = library.loaded(block.key).value.photos;
  const isWhole =
    known.length === block.count && known.every(({ id }) => isChosen(chosen.value, id));
  return (
    <h3 style={{ height: `${height}px` }}>
      <button
        type="button"
        tabIndex={-1}
        aria-pressed={isWhole}
        aria-label={`Select ${dayName(block.key)}`}
        onClick={() => void photos.chooseDay(block.index, !isWhole)}
      >
        <Icon name="check" size={14} />
      </button>
      <span class="day-name">{dayName(block.key)}</span>
      {block.columns > 2 && <span class="faint">{number(block.count)}</span>}
    </h3>
  );
}
