// The place of an enlarged picture: its scale, and the offset of its middle from that of the stage.

export interface Zoom {
  scale: number;
  x: number;
  y: number;
}

export const WHOLE: Zoom = { scale: 1, x: 0, y: 0 };
export const MAX_SCALE = 8;

interface Size {
  width: number;
  height: number;
}

/** Scales around a point, given from the middle of the stage; that point stays where it is. */
export function zoomAt(zoom: Zoom, factor: number, point: { x: number; y: number }): Zoom {
  const scale = Math.min(MAX_SCALE, Math.max(1, zoom.scale * factor));
  if (scale === 1) return WHOLE;
  const real = scale / zoom.scale;
  return { scale, x: point.x - (point.x - zoom.x) * real, y: point.y - (point.y - zoom.y) * real };
}

/** Keeps the picture over the stage: no edge comes farther in than the stage's own. */
export function bounded(zoom: Zoom, picture: Size, stage: Size): Zoom {
  const limit = (size: number, room: number): number => Math.max(0, (size * zoom.scale - room) / 2);
  const [x, y] = [limit(picture.width, stage.width), limit(picture.height, stage.height)];
  return {
    scale: zoom.scale,
    x: Math.min(x, Math.max(-x, zoom.x)),
    y: Math.min(y, Math.max(-y, zoom.y)),
  };
}
