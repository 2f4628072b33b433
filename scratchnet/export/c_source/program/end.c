/* A number of a file: raw ones are little endian, those of an IDX file big endian. */
static @INPUT@ number(int type, const unsigned char *b)
{
    uint32_t bits = type == NUMBERS ? (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0]
                                    : (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    @RAW@ value;
    memcpy(&value, &bits, 4);
    return @CAST@value;
}

/* Reads one sample: 1; 0 where the file ends before it; -1 where it ends within it. */
static int sample(FILE *file, int type, @INPUT@ *x)
{
    unsigned char b[4];
    size_t size = type == BYTES ? 1 : 4;
    for (int i = 0; i < INPUTS; i++) {
        size_t got = fread(b, 1, size, file);
        if (got != size)
            return got || i ? -1 : 0;
        x[i] = @VALUE@;
    }
    return 1;
}

/* Says on stderr what is wrong with a file, and gives back the exit code. */
static int refuse(const char *path, const char *what, int code)
{
    fprintf(stderr, "%s: %s\n", path, what);
    return code;
}

/* Writes a class a line, for every sample of a file. */
static int classify(FILE *file, const char *path)
{
    @INPUT@ x[INPUTS];
    unsigned long held = 0, done = 0;
    int type = @HEADER@, found = 1;
    if (type < 0)
        return refuse(path, "an IDX file whose samples do not have @INPUTS@ numbers", 4);
    while ((type == NUMBERS || done < held) && (found = sample(file, type, x)) > 0) {
        printf("%d\n", @PREFIX@_predict(x));
        done++;
    }
    if (ferror(file))
        return refuse(path, "cannot be read", 3);
    if (found < 0 || done < held)
        return refuse(path, "ends before its last sample does; expected @FILES@, unpacked", 4);
    if (type != NUMBERS && getc(file) != EOF)
        return refuse(path, "goes on after its last sample", 4);
    return done ? 0 : refuse(path, "holds no sample", 4);
}

/* Exit codes: 0, all is classified; 2, called wrongly; 3, the file cannot be read; 4, it is not what it must be; 5, the
   classes cannot be written. */
int main(int argc, char **argv)
{
    if (argc != 2)
        return refuse("usage", "one file, @FILES@", 2);
    FILE *file = fopen(argv[1], "rb");
    if (!file)
        return refuse(argv[1], "cannot be opened", 3);
    int code = classify(file, argv[1]);
    fclose(file);
    return fflush(stdout) || ferror(stdout) ? refuse("standard output", "cannot be written", 5) : code;
}
#endif
