interface Size {
  width: number;
  height: number;
}

/**
 * The largest size of the ratio, which is given as `width:height`, that lies within; a pixel at
 * least.
 */
export function largestBox(whole: Size, ratio: string): Size {
  const [across = 1, down = 1] = ratio.split(":").map(Number);
  const rounded = (length: number, most: number) => Math.min(most, Math.max(1, Math.round(length)));
  if (whole.width * down > whole.height * across)
    return { width: rounded((whole.height * across) / down, whole.width), height: whole.height };
  return { width: whole.width, height: rounded((whole.width * down) / across, whole.height) };
}
