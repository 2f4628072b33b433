/* A window that steps over an image. Each pair is for (rows, columns); in and out are (channels, rows, columns). */
typedef struct {
    int in[3], out[3], size[2], step[2], border[2], dilation[2], groups;
} window;
