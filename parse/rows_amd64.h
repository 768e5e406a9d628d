// What the functions that read tokens of rows begin with: SI data, R8 separators of the first row, R9 bytes from them to
// those of the next row, CX rows left, R10 rows, Y8 and Y9 what digits are compared with.

DATA zeros<>+0(SB)/8, $0x3030303030303030
DATA zeros<>+8(SB)/8, $0x3030303030303030
DATA zeros<>+16(SB)/8, $0x3030303030303030
DATA zeros<>+24(SB)/8, $0x3030303030303030
GLOBL zeros<>(SB), RODATA, $32

DATA nines<>+0(SB)/8, $0x0909090909090909
DATA nines<>+8(SB)/8, $0x0909090909090909
DATA nines<>+16(SB)/8, $0x0909090909090909
DATA nines<>+24(SB)/8, $0x0909090909090909
GLOBL nines<>(SB), RODATA, $32

#define START \
	MOVQ data+0(FP), SI \
	MOVQ seps+8(FP), R8 \
	MOVQ stride+16(FP), R9 \
	SHLQ $2, R9 \
	MOVQ rows+24(FP), CX \
	MOVQ CX, R10 \
	VMOVDQU zeros<>(SB), Y8 \
	VMOVDQU nines<>(SB), Y9 \
	TESTQ CX, CX \
	JZ done
