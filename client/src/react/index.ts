export { useGroup, useJob, useJobs, usePhotos } from "./hooks.js";
export { PhotoServiceProvider, usePhotoService } from "./provider.js";
export { usePhotoJob, type UsePhotoJob } from "./use-photo-job.js";
export { useUpload, type UploadState, type UseUpload } from "./use-upload.js";
