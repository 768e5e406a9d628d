#include "textflag.h"

// func blankMasksAVX2(data *byte, masks *uint64, blocks int)
TEXT ·blankMasksAVX2(SB), NOSPLIT, $0-24
	MOVQ data+0(FP), SI
	MOVQ masks+8(FP), DI
	MOVQ blocks+16(FP), CX
	MOVL $0x20202020, AX
	MOVQ AX, X0
	VPBROADCASTD X0, Y0
	TESTQ CX, CX
	JZ done

loop:
	// a byte is white space if the smaller of it and a blank is the byte itself
	VMOVDQU (SI), Y1
	VMOVDQU 32(SI), Y2
	VPMINUB Y0, Y1, Y3
	VPMINUB Y0, Y2, Y4
	VPCMPEQB Y1, Y3, Y3
	VPCMPEQB Y2, Y4, Y4
	VPMOVMSKB Y3, AX
	VPMOVMSKB Y4, BX
	SHLQ $32, BX
	ORQ BX, AX
	MOVQ AX, (DI)
	ADDQ $64, SI
	ADDQ $8, DI
	DECQ CX
	JNZ loop

done:
	VZEROUPPER
	RET
