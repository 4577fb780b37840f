import { createContext, createElement, useContext, type ReactElement, type ReactNode } from "react";
import type { PhotoService } from "../photo-service.js";

const Context = createContext<PhotoService | null>(null);

/** Provides a client to the hooks below it. Create the client outside of components. */
export function PhotoServiceProvider(props: {
  service: PhotoService;
  children?: ReactNode;
}): ReactElement {
  return createElement(Context.Provider, { value: props.service }, props.children);
}

/** The client of the nearest provider. */
export function usePhotoService(): PhotoService {
  const service = useContext(Context);
  if (!service) throw new Error("Wrap this component in <PhotoServiceProvider service={…}>.");
  return service;
}
