// A hundred photos. The browser loads each when it comes into view, in the size and the format that
// fit best, and the service makes it then.
import { readPictures, type Picture } from "photo-service-client/images";
import { usePhotos, usePhotoService } from "photo-service-client/react";
import { useEffect, useState } from "react";

/** The width of a picture on the page, from which the browser chooses a file. */
const SIZES = "10rem";

export function Gallery() {
  const service = usePhotoService();
  // An upload, or an output that is kept, is read again with its images.
  const newest = usePhotos({ first: 1 }).photos[0]?.id;
  const [pictures, setPictures] = useState<readonly Picture[]>([]);
  const [fault, setFault] = useState("");
  useEffect(() => {
    if (!newest) return;
    const stop = new AbortController();
    readPictures(service, { first: 100, maxWidth: 640, signal: stop.signal }).then(
      (page) => setPictures(page.pictures),
      (error: Error) => stop.signal.aborted || setFault(error.message),
    );
    return () => stop.abort();
  }, [service, newest]);
  return (
    <section aria-label="Gallery">
      {fault && <p role="alert">{fault}</p>}
      {pictures.map(({ id, filename, avif, webp, jpeg }) => (
        <picture key={id}>
          <source type="image/avif" srcSet={avif} sizes={SIZES} />
          <source type="image/webp" srcSet={webp} sizes={SIZES} />
          <img src={jpeg} alt={filename} loading="lazy" />
        </picture>
      ))}
    </section>
  );
}
