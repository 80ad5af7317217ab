/* Translates images with a trained model: the C interface of torsor, for every language that can call C.
 *
 * Link libtorsor.so. A model may be used by any number of threads at once; loading and freeing are
 * thread-safe too, as long as no thread uses a model that is freed. No function prints, exits or throws: a
 * failure is a NULL or non-zero result, and torsor_last_error() says in one line what went wrong and what to
 * do. */
#ifndef TORSOR_H
#define TORSOR_H

#include <stddef.h>
#include <stdint.h>

#ifndef TORSOR_API
#define TORSOR_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A trained generator. */
typedef struct torsor_model torsor_model;

/* NULL or "" in a field selects the default. Set `size` to sizeof(torsor_options): later versions may add
 * fields at the end. */
typedef struct torsor_options {
  size_t size;
  const char* direction;  /* "a_to_b" or "b_to_a" [a_to_b, or the only one the file has] */
  const char* device;     /* "auto", "cpu" or "cuda" [auto] */
  const char* precision;  /* "fp32", "bf16" or "fp64" [fp32] */
  const char* norm_stats; /* "running" or "batch", for batch norm [running] */
  const char* engine;     /* "auto", "torch" or "fast", on a CPU in fp32: see docs/performance.md [auto] */
  const char* evidence;   /* "on": keep what torsor_translate_with_evidence() measures with [off] */
} torsor_options;

typedef enum torsor_sample {
  TORSOR_U8 = 0,  /* 0 to 255 */
  TORSOR_U16 = 1, /* 0 to 65535; black and white as the model's images of 16 bits have them, else these */
  TORSOR_F32 = 2  /* -1 (black) to 1 (white), nothing is rounded; of a model with --scaling percentile_95 an
                   * output only: 0 (black) up, 1 is the 95th percentile */
} torsor_sample;

/* An image in the caller's memory. Strides are bytes from one pixel, row or channel to the next and may be
 * negative. 0 stands for interleaved channels, pixels and rows without gaps: channel_stride = the sample's
 * size, x_stride = channels * the sample's size, y_stride = width * x_stride. So packed RGB is
 * {data, TORSOR_U8, 3, W, H, 0, 0, 0}, and RGB in three planes of bytes {data, TORSOR_U8, 3, W, H, 1, W, W *
 * H}. */
typedef struct torsor_image {
  void* data;       /* the first channel of the upper left pixel; an input is only read */
  int32_t type;     /* a torsor_sample */
  int32_t channels; /* 1 grey, 3 RGB; input also 2 (grey, alpha) and 4 (RGBA), whose alpha is dropped: the
                     * caller has it. Colours under an alpha of 0 reach no network */
  int64_t width, height;
  ptrdiff_t x_stride, y_stride, channel_stride;
} torsor_image;

/* Loads what `torsor translate` accepts as MODEL: a run directory, a torsor model file or checkpoint, a .pth
 * of the reference or its folder. `options` may be NULL. NULL on failure. */
TORSOR_API torsor_model* torsor_load(const char* path, const torsor_options* options);

/* Frees the model; NULL is allowed. */
TORSOR_API void torsor_free(torsor_model* model);

/* Channels of the network's input and output images. */
TORSOR_API int torsor_in_channels(const torsor_model* model);
TORSOR_API int torsor_out_channels(const torsor_model* model);

/* JSON text: all that `torsor inspect --json` says, and the direction in use. It lives as long as the model.
 */
TORSOR_API const char* torsor_describe(const torsor_model* model);

/* Translates one image of any size into `out`, which has the same width and height, torsor_out_channels()
 * channels, and any type. U8 and U16 samples are, byte for byte, what `torsor translate` writes. `in` is read
 * whole before `out` is written, so they may share memory. 0 on success; else `out` is untouched. */
TORSOR_API int torsor_translate(const torsor_model* model, const torsor_image* in, const torsor_image* out);

/* How torsor_translate_with_evidence() judges. 0, NULL or "" in a field selects the default. Set `size` to
 * sizeof(torsor_evidence_options): later versions may add fields at the end. */
typedef struct torsor_evidence_options {
  size_t size;
  const char* name;                /* what the evidence calls the input [""] */
  const torsor_model* const* also; /* models beside which this one stands, of the same direction [none] */
  size_t also_count;
  const char* ensemble;    /* what `out` receives: "first", "mean" or "median" of all [first] */
  double doubt_percentile; /* of the calibration, 50 to 100 [99] */
  double doubt_spread;     /* of the models, a share of the range from black to white [0.1] */
  int32_t refuse_doubtful; /* not 0: leave `out` untouched where the evidence says doubtful [0] */
} torsor_evidence_options;

/* As torsor_translate(), and returns the evidence as JSON text: what `torsor translate --evidence` writes
 * beside an output, see docs/translating.md. The model must have been loaded with evidence "on". `options`
 * may be NULL. NULL on failure; `out` is then untouched. Valid until the thread's next call. */
TORSOR_API const char* torsor_translate_with_evidence(const torsor_model* model, const torsor_image* in,
                                                      const torsor_image* out,
                                                      const torsor_evidence_options* options);

/* One line when the image looks unlike the images that this generator was trained to translate, else "": see
 * docs/recognition.md. NULL on failure. Valid until the thread's next call. */
TORSOR_API const char* torsor_doubt(const torsor_model* model, const torsor_image* in);

/* Threads that one translation may use, 0 = as many as this process has CPUs (fewer than the machine where an
 * affinity or a container's quota says so). A setting of the whole process, to be made before the first
 * translation. 0 on success. */
TORSOR_API int torsor_set_threads(int threads);

/* Why the calling thread's last failed call failed: one line, "" if none failed. Valid until that thread's
 * next failure. */
TORSOR_API const char* torsor_last_error(void);

/* "0.1.0" */
TORSOR_API const char* torsor_version(void);

#ifdef __cplusplus
}
#endif

#endif
