/**
 * Turns `Photo.srcset` into a `loader` for `next/image`. Each width has its own signature, so a
 * loader chooses one of the signed URLs and never builds one:
 *
 *     <Image loader={imageLoader(photo.srcset)} src={photo.id} width={photo.width}
 *       height={photo.height} sizes="(max-width: 40rem) 100vw, 20rem" alt={photo.filename} />
 */
export function imageLoader(srcset: string): (image: { width: number }) => string {
  const images = srcset.split(", ").map((entry) => {
    const [url = "", width = ""] = entry.split(" ");
    return { url, width: Number.parseInt(width) };
  });
  return ({ width }) => (images.find((image) => image.width >= width) ?? images.at(-1))?.url ?? "";
}
