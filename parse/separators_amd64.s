#include "textflag.h"

// places are the numbers of the bytes of a block.
DATA places<>+0(SB)/8, $0x0706050403020100
DATA places<>+8(SB)/8, $0x0f0e0d0c0b0a0908
DATA places<>+16(SB)/8, $0x1716151413121110
DATA places<>+24(SB)/8, $0x1f1e1d1c1b1a1918
DATA places<>+32(SB)/8, $0x2726252423222120
DATA places<>+40(SB)/8, $0x2f2e2d2c2b2a2928
DATA places<>+48(SB)/8, $0x3736353433323130
DATA places<>+56(SB)/8, $0x3f3e3d3c3b3a3938
GLOBL places<>(SB), RODATA, $64

// Both functions: SI data, DI out, CX blocks left, R8 position of the block, R9 last byte of the block before was
// white space, R10 where out began.

// func separatorsAVX2(data *byte, blocks int, at int, before uint64, out *int32) (n int, last, high uint64)
TEXT ·separatorsAVX2(SB), NOSPLIT, $0-64
	MOVQ data+0(FP), SI
	MOVQ blocks+8(FP), CX
	MOVQ at+16(FP), R8
	MOVQ before+24(FP), R9
	MOVQ out+32(FP), DI
	MOVQ DI, R10
	MOVL $0x20202020, AX
	MOVQ AX, X0
	VPBROADCASTD X0, Y0
	VPXOR X8, X8, X8
	TESTQ CX, CX
	JZ done

loop:
	// a byte is white space if the smaller of it and a blank is the byte itself
	VMOVDQU (SI), Y1
	VMOVDQU 32(SI), Y2
	VPOR Y1, Y8, Y8
	VPOR Y2, Y8, Y8
	VPMINUB Y0, Y1, Y3
	VPMINUB Y0, Y2, Y4
	VPCMPEQB Y1, Y3, Y3
	VPCMPEQB Y2, Y4, Y4
	VPMOVMSKB Y3, AX
	VPMOVMSKB Y4, BX
	SHLQ $32, BX
	ORQ BX, AX

	LEAQ (R9)(AX*2), BX
	TESTQ AX, BX
	JNZ neighbours
	MOVQ AX, R9
	SHRQ $63, R9
	POPCNTQ AX, DX
	LEAQ (DI)(DX*4), R11 // where the next block's go, over those that are written too much here

#define ONE(offset) \
	TZCNTQ AX, BX \
	ADDL R8, BX \
	MOVL BX, offset(DI) \
	BLSRQ AX, AX

more:
	ONE(0)
	ONE(4)
	ONE(8)
	ONE(12)
	ONE(16)
	ONE(20)
	ONE(24)
	ONE(28)
	ONE(32)
	ONE(36)
	ADDQ $40, DI
	TESTQ AX, AX
	JNZ more

	MOVQ R11, DI
	ADDQ $64, SI
	ADDQ $64, R8
	DECQ CX
	JNZ loop

done:
	SUBQ R10, DI
	SHRQ $2, DI
	MOVQ DI, n+40(FP)
	MOVQ R9, last+48(FP)
	VPMOVMSKB Y8, AX
	MOVQ AX, high+56(FP)
	VZEROUPPER
	RET

neighbours:
	MOVQ $-1, n+40(FP)
	MOVQ R9, last+48(FP)
	VPMOVMSKB Y8, AX
	MOVQ AX, high+56(FP)
	VZEROUPPER
	RET

// func separatorsAVX512(data *byte, blocks int, at int, before uint64, out *int32) (n int, last, high uint64)
TEXT ·separatorsAVX512(SB), NOSPLIT, $0-64
	MOVQ data+0(FP), SI
	MOVQ blocks+8(FP), CX
	MOVQ at+16(FP), R8
	MOVQ before+24(FP), R9
	MOVQ out+32(FP), DI
	MOVQ DI, R10
	MOVL $0x20202020, AX
	VPBROADCASTD AX, Z0
	VPXORD Z8, Z8, Z8
	VMOVDQU64 places<>(SB), Z5
	VPBROADCASTD R8, Z6
	MOVL $64, AX
	VPBROADCASTD AX, Z7
	TESTQ CX, CX
	JZ done

loop:
	VMOVDQU64 (SI), Z1
	VPORD Z1, Z8, Z8
	VPCMPUB $2, Z0, Z1, K1
	KMOVQ K1, AX
	LEAQ (R9)(AX*2), BX
	TESTQ AX, BX
	JNZ neighbours
	MOVQ AX, R9
	SHRQ $63, R9
	POPCNTQ AX, DX
	VPCOMPRESSB.Z Z5, K1, Z2
	VPMOVZXBD X2, Z3
	VPADDD Z6, Z3, Z3
	VMOVDQU32 Z3, (DI)
	CMPQ DX, $16
	JHI many

next:
	LEAQ (DI)(DX*4), DI
	VPADDD Z7, Z6, Z6
	ADDQ $64, SI
	DECQ CX
	JNZ loop

done:
	SUBQ R10, DI
	SHRQ $2, DI
	MOVQ DI, n+40(FP)
	MOVQ R9, last+48(FP)
	VPMOVB2M Z8, K1
	KMOVQ K1, AX
	MOVQ AX, high+56(FP)
	VZEROUPPER
	RET

many: // no more than 32, since none are neighbours
	VEXTRACTI32X4 $1, Z2, X2
	VPMOVZXBD X2, Z3
	VPADDD Z6, Z3, Z3
	VMOVDQU32 Z3, 64(DI)
	JMP next

neighbours:
	MOVQ $-1, n+40(FP)
	MOVQ R9, last+48(FP)
	VPMOVB2M Z8, K1
	KMOVQ K1, AX
	MOVQ AX, high+56(FP)
	VZEROUPPER
	RET
